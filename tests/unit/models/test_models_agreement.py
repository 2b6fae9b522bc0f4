"""Agreement figures against examples worked out by hand and published ones."""

import math

import numpy as np
import pytest

from models.agreement import cohen_kappa, krippendorff_alpha, percent_agreement
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
