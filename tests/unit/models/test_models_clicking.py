"""Who seems to click without reading, and how seldom somebody honest does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clicking import Given, longest_run, suspicions

SHARES = (0.8, 0.2)


def people(seed: int, n: int, fast: float = 1.0, label: int | None = None) -> Given:
    """n answers that take some seconds, of labels that come as `SHARES` say."""
    random = np.random.default_rng(seed)
    labels = random.choice(2, n, p=SHARES) if label is None else np.full(n, label)
    return Given(random.lognormal(2.0, 0.6, n) * fast, labels)


OTHERS = people(1, 1_000)


def test_somebody_much_faster_than_all_others_is_told() -> None:
    (told,) = suspicions(people(2, 50, fast=0.05), OTHERS)
    assert told.startswith("49 of 50 answers in less than")


def test_a_run_of_the_rare_label_is_told_and_of_the_common_one_when_it_is_long() -> None:
    (told,) = suspicions(people(3, 20, label=1), OTHERS)
    assert told == "20 times the same answer in a row"
    assert suspicions(people(3, 30, label=0), OTHERS) == [], "four in five are so anyway"
    assert suspicions(people(3, 60, label=0), OTHERS) == ["60 times the same answer in a row"]


def test_nothing_is_said_of_few_answers_or_beside_few_others() -> None:
    clicks = people(4, 50, fast=0.01, label=1)
    few = Given(clicks.seconds[:19], clicks.labels[:19])
    assert suspicions(few, OTHERS) == []
    assert suspicions(clicks, people(5, 99)) == []
    assert len(suspicions(clicks, OTHERS)) == 2


def test_somebody_who_answers_as_the_others_do_is_hardly_ever_suspected() -> None:
    assert sum(bool(suspicions(people(seed, 50), OTHERS)) for seed in range(10, 1_010)) <= 1


@given(st.lists(st.integers(0, 2), max_size=40))
@settings(max_examples=100)
def test_the_longest_run_is_there_and_none_is_longer(labels: list[int]) -> None:
    label, length = longest_run(labels)
    text = "".join(map(str, labels))
    assert (str(label) * length in text) if labels else (label, length) == (-1, 0)
    assert all(str(one) * (length + 1) not in text for one in range(3))


@pytest.mark.parametrize("ties", [[0, 0, 1, 1], [1, 1, 0, 0]])
def test_of_equal_runs_the_first_is_told(ties: list[int]) -> None:
    assert longest_run(ties) == (ties[0], 2)
