"""Agreement figures against examples worked out by hand and published ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.agreement import agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha, percent_agreement
from models.votes import Votes


def of_columns(*people: str) -> Votes:
    """One string a person, one letter an item, `.` where they said nothing."""
    task, worker, label = zip(
        *[
            (item, person, ord(letter) - ord("a"))
            for person, letters in enumerate(people)
            for item, letter in enumerate(letters)
            if letter != "."
        ],
        strict=True,
    )
    return Votes.from_table(task, worker, label, n_classes=5)[0]


def test_alpha_of_krippendorffs_own_example_with_two_observers() -> None:
    """Ten units, binary, no gaps: alpha = 0.095 (Krippendorff 2011, section A)."""
    votes = of_columns("abaaaaaaba", "bbbaabaaaa")
    assert krippendorff_alpha(votes) == pytest.approx(0.095, abs=0.0005)


def test_alpha_of_krippendorffs_own_example_with_two_observers_and_five_labels() -> None:
    """Twelve units, nominal, no gaps: alpha = 0.692 (Krippendorff 2011, section B)."""
    votes = of_columns("aabbdcccedda", "babbbccceddd")
    assert krippendorff_alpha(votes) == pytest.approx(0.692, abs=0.0005)


def test_alpha_of_krippendorffs_own_example_with_gaps() -> None:
    """Four observers, twelve units, gaps: alpha = 0.743 (Krippendorff 2011, section C)."""
    votes = of_columns("abccbadab...", "abccbbdabe.c", ".cccbcdbbea.", "abccbddabea.")
    assert krippendorff_alpha(votes) == pytest.approx(0.743, abs=0.0005)


def test_percent_agreement_counts_pairs_on_items() -> None:
    votes = of_columns("aab", "abb", "a.b")
    # item 0: 3 of 3 pairs, item 1: 0 of 1, item 2: 3 of 3
    assert percent_agreement(votes) == pytest.approx(6 / 7)


def test_full_agreement_is_one_and_chance_is_nothing() -> None:
    assert krippendorff_alpha(of_columns("abab", "abab")) == pytest.approx(1)
    random = np.random.default_rng(0)
    votes, _ = Votes.from_table(np.repeat(np.arange(5000), 2), [0, 1] * 5000, random.integers(0, 2, 10_000))
    assert krippendorff_alpha(votes) == pytest.approx(0, abs=0.05)


def test_nothing_to_compare_has_no_value() -> None:
    single = of_columns("ab")
    assert math.isnan(percent_agreement(single))
    assert math.isnan(krippendorff_alpha(single))
    assert math.isnan(krippendorff_alpha(of_columns("aa", "aa")))


def test_annotators_with_different_symbols_cannot_be_compared() -> None:
    people = Votes.of_one("tier:crowd", np.array([0]), 2)
    votes = Votes.concat_annotators(people, Votes.of_one("classifier", np.array([0]), 8))
    with pytest.raises(ValueError, match="different symbols"):
        percent_agreement(votes)


@pytest.mark.parametrize("seed", range(5))
def test_cohens_kappa_is_scikit_learns(seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(seed)
    one = random.integers(0, 4, 60)
    other = np.where(random.random(60) < 0.6, one, random.integers(0, 4, 60))
    assert cohen_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_cohens_kappa_of_one_label_or_none_says_nothing() -> None:
    assert math.isnan(cohen_kappa(np.array([1, 1]), np.array([1, 1])))
    assert math.isnan(cohen_kappa(np.array([], np.int64), np.array([], np.int64)))
    assert cohen_kappa(np.array([0, 1]), np.array([0, 1])) == 1.0


COUNTS = arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 4)), elements=st.integers(0, 4))


@given(COUNTS)
def test_one_look_gives_what_each_figure_gives_alone(counts: NDArray[np.int64]) -> None:
    """Alpha and percent of tables are those of votes; items with one vote change nothing."""
    columns = counts_as_votes(counts)
    found = agreement(counts, draws=20)
    assert found.percent == pytest.approx(percent_agreement(columns), nan_ok=True)
    assert found.alpha == pytest.approx(krippendorff_alpha(columns), nan_ok=True)
    assert found.fleiss == pytest.approx(fleiss_kappa(counts), nan_ok=True)
    lonely = np.eye(counts.shape[1], dtype=np.int64)
    assert agreement(np.vstack([counts, lonely]), draws=2).fleiss == pytest.approx(found.fleiss, nan_ok=True)


@given(arrays(np.int64, st.tuples(st.integers(2, 20), st.just(3)), elements=st.integers(0, 2)))
def test_fleiss_and_alpha_differ_by_small_samples_alone(said: NDArray[np.int64]) -> None:
    """With equally many votes on each item, 1 - alpha = (1 - kappa) (N - 1) / N for N votes in all."""
    counts = np.stack([(said == label).sum(axis=1) for label in range(3)], axis=1)
    found, total = agreement(counts, draws=2), said.size
    assert 1 - found.alpha == pytest.approx((1 - found.fleiss) * (total - 1) / total, nan_ok=True)


def test_fleiss_of_two_who_agree_on_three_of_four() -> None:
    """Observed .75; of eight votes five say a: expected (25 + 9) / 64."""
    counts = np.array([[2, 0], [2, 0], [0, 2], [1, 1]])
    assert fleiss_kappa(counts) == pytest.approx((0.75 - 34 / 64) / (1 - 34 / 64))
    assert math.isnan(fleiss_kappa(np.array([[2, 0], [3, 0]])))
    assert math.isnan(fleiss_kappa(np.array([[1, 0], [0, 1]])))


def test_the_interval_of_alpha_holds_what_it_is_to_hold() -> None:
    """Three who say the truth of one of two classes with probability .8: in the long run alpha is .36."""
    random, held = np.random.default_rng(3), 0
    for _ in range(60):
        truth = random.random((150, 1)) < 0.5
        said = truth ^ (random.random((150, 3)) < 0.2)
        ones = said.sum(axis=1)
        found = agreement(np.stack([3 - ones, ones], axis=1), draws=300)
        held += found.low <= 0.36 <= found.high
    assert held >= 51, "95 % of 60 are 57; fewer than 51 come less than once in 1,000 times"


def test_without_two_votes_on_an_item_there_is_no_figure() -> None:
    found = agreement(np.array([[1, 0], [0, 1]]))
    assert (found.items, found.votes) == (0, 0)
    assert all(map(math.isnan, (found.percent, found.fleiss, found.alpha, found.low, found.high)))
    same = agreement(np.array([[2, 0], [2, 0], [3, 0]]))
    assert same.percent == 1 and math.isnan(same.alpha) and math.isnan(same.low)


def counts_as_votes(counts: NDArray[np.int64]) -> Votes:
    """As many people as an item has votes at most; each speaks where votes are left for them."""
    width = int(counts.sum(axis=1).max(initial=1)) or 1
    dense = np.full((len(counts), width), -1)
    for row, of_item in enumerate(counts):
        said = np.repeat(np.arange(counts.shape[1]), of_item)
        dense[row, : len(said)] = said
    row, place = np.nonzero(dense >= 0)
    return Votes(
        n_items=len(counts),
        annotators=tuple(f"tier:{number}" for number in range(width)),
        n_symbols=(counts.shape[1],) * width,
        row=row,
        annotator=place,
        symbol=dense[row, place],
    )
