"""Batches grow while labeling one is quick, and shrink where labels would wait."""

import pytest

from daemon.core.batch_size import (
    FIRST_ITEMS,
    LABEL_SECONDS,
    MOST_LABEL_SECONDS,
    WAIT_SHARE,
    BatchSize,
)


def after(size: BatchSize, items_a_second: float, batches: int = 10, waiting: int = 0) -> int:
    """The size after some full batches at this rate, while so many messages wait."""
    for _ in range(batches):
        size.took(size.items, size.items / items_a_second, waiting)
    return size.items


def test_quick_batches_grow_to_the_limit_step_by_step() -> None:
    size = BatchSize(3_000)
    assert size.items == FIRST_ITEMS
    assert after(size, 1e6, batches=1) == 2 * FIRST_ITEMS
    assert after(size, 1e6) == 3_000


def test_a_batch_takes_as_long_as_it_is_to_where_that_is_possible() -> None:
    assert after(BatchSize(4_096), 8_000) == pytest.approx(8_000 * LABEL_SECONDS, rel=0.01)


def test_slow_labeling_brings_it_back_to_the_first_size_and_no_further() -> None:
    size = BatchSize(4_096)
    after(size, 1e6)
    assert after(size, 100, batches=1) == FIRST_ITEMS
    assert after(size, 1) == FIRST_ITEMS


def test_where_many_wait_slow_batches_grow_too_by_a_share_of_the_wait() -> None:
    size = BatchSize(4_096)
    assert after(size, 200, waiting=4_000) == pytest.approx(WAIT_SHARE * 4_000, rel=0.01)
    assert after(size, 200, waiting=1_000_000) == pytest.approx(200 * MOST_LABEL_SECONDS, rel=0.01)
    assert after(size, 200, waiting=100) == FIRST_ITEMS


def test_batches_that_were_not_full_say_nothing() -> None:
    size = BatchSize(4_096)
    size.took(FIRST_ITEMS - 1, 1e-6)
    assert size.items == FIRST_ITEMS


def test_the_limit_may_be_below_the_first_size() -> None:
    size = BatchSize(40)
    assert size.items == 40 and after(size, 1e6) == 40
    assert after(size, 1) == 40


def test_a_clock_that_did_not_move_does_no_harm() -> None:
    size = BatchSize(4_096)
    size.took(FIRST_ITEMS, 0.0)
    assert size.items == 2 * FIRST_ITEMS
