"""Effective numbers of gold answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gold import Gold, effective_number


def test_distinct_even_answers_count_as_they_are() -> None:
    assert effective_number(np.arange(7), np.full(7, 3.0)) == pytest.approx(7)
    assert effective_number(np.empty(0, int), np.empty(0)) == 0


def test_copies_of_one_text_count_once() -> None:
    groups = np.array([1, 1, 1, 1, 2, 3])
    assert effective_number(groups, np.ones(6)) == pytest.approx(3)


def test_uneven_weights_count_for_less() -> None:
    """One answer that stands for nine tenths of the stream is worth little more than one."""
    assert effective_number(np.arange(11), np.r_[90.0, np.ones(10)]) == pytest.approx(100**2 / 8110)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.1, 10)), min_size=1, max_size=30))
def test_it_lies_between_one_and_the_number_of_groups(drawn: list[tuple[int, float]]) -> None:
    groups, weights = np.array([g for g, _ in drawn]), np.array([w for _, w in drawn])
    found = effective_number(groups, weights)
    assert 1 - 1e-9 <= found <= len(set(groups.tolist())) + 1e-9
    assert effective_number(groups, 7 * weights) == pytest.approx(found)


def test_each_class_is_counted_apart() -> None:
    gold = Gold.of(np.array([0, 0, 0, 2]), np.array([4, 4, 5, 6]), np.ones(4), 3)
    assert gold == Gold(4, pytest.approx(3), (pytest.approx(2), 0.0, pytest.approx(1)))
    assert Gold.none(2) == Gold(0, 0.0, (0.0, 0.0))
