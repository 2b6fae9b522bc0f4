"""The certificate about published labels: valid over all coins, whatever else is left out."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from models.arrays import F8, I8, Mask
from models.guarantee.binomial import most_refuting
from models.guarantee.published import claims, published_verdict
from models.guarantee.window import accepted_counts, coin_shares, thresholds

DELTAS = st.sampled_from([0.1, 0.3])
SHARES = st.sampled_from([0.06, 0.12, 0.3, 0.6, 0.9])


@settings(max_examples=60, deadline=None)
@given(
    wrong=st.lists(st.booleans(), min_size=4, max_size=8),
    levels=st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.8]), min_size=8, max_size=8),
    start=st.integers(0, 3),
    last=st.integers(1, 4),
    p=SHARES,
    rest=st.sampled_from([0.0, 0.1]),
    alpha=st.sampled_from([0.15, 0.3, 0.45]),
    delta=DELTAS,
    lower=st.integers(0, 2),
)
def test_what_is_published_keeps_the_promise_over_all_coins(
    wrong: list[bool],
    levels: list[float],
    start: int,
    last: int,
    p: float,
    rest: float,
    alpha: float,
    delta: float,
    lower: int,
) -> None:
    """Any claims that are fixed beforehand are valid, not only the best ones."""
    scores, errors = np.array(levels[: len(wrong)]), np.array(wrong)
    lambdas = thresholds(scores)[:last]
    most = np.floor(alpha * accepted_counts(scores, lambdas)).astype(np.int64) + 1
    for limits in (np.maximum(most - lower, 1), claims(accepted_counts(scores, lambdas), p, alpha, delta)):
        terms = (lambdas, limits, min(start, len(lambdas) - 1), p, alpha, delta)
        published, frozen = broken_shares(scores, errors, *terms, rest=rest)
        assert published <= delta + 1e-12
        assert frozen <= delta + 1e-12


@pytest.mark.parametrize("p", [0.2, 0.4])
def test_the_worst_number_of_errors_keeps_the_promise_at_one_threshold(p: float) -> None:
    """Exactly, over (errors found, right ones audited), for every true number of errors."""
    n, alpha, delta = 60, 0.2, 0.1
    limit = claims(np.array([n]), p, alpha, delta)
    scores, lambdas = np.ones(n), np.ones(1)
    worst = 0.0
    for errors in range(4, 16):
        found = np.arange(errors + 1)
        broken = 0.0
        for right in range(int(binom.ppf(1 - 1e-7, n - errors, p)) + 1):
            chance = binom.pmf(found, errors, p) * binom.pmf(right, n - errors, p)
            too_many = errors - found > alpha * (n - found - right)
            for k in found[too_many & (chance > 1e-9)].tolist():
                picked = np.zeros(n, np.bool_)
                picked[:k] = picked[errors : errors + right] = True
                wrong = np.arange(n) < errors
                passed = passes(scores, lambdas, limit, wrong, picked, p, alpha, delta)
                broken += chance[k] * passed
        worst = max(worst, broken)
    assert 0.02 < worst <= delta, "never broken would be too strict"


def test_an_audit_that_never_came_counts_against_the_test_and_proves_nothing() -> None:
    """Ten errors may be left of which three were found: with seven of them missing, nothing is published."""
    scores, lambdas, limits = np.ones(200), np.ones(1), np.array([11])
    picked = np.arange(200) < 100
    wrong = np.arange(100) < 6
    terms = (lambdas, limits, 0, np.flatnonzero(picked), wrong, 0.9, 0.05, 0.3)
    proven = np.arange(200) < 6
    assert published_verdict(scores, *terms, 1.0, ~picked, proven).tau == 1.0
    assert published_verdict(scores, *terms, 1.0, ~picked, np.zeros(200, np.bool_)).tau is None


def test_labels_that_are_not_published_after_all_do_not_count() -> None:
    """Four errors may be left among a hundred labels; of fifty, that would be too many."""
    scores, lambdas, limits = np.ones(200), np.ones(1), np.array([6])
    picked = np.arange(200) < 100
    terms = (lambdas, limits, 0, np.flatnonzero(picked), np.zeros(100, np.bool_), 0.4, 0.05, 0.1)
    nothing = np.zeros(200, np.bool_)
    assert published_verdict(scores, *terms, 1.0, ~picked, nothing).tau == 1.0
    assert published_verdict(scores, *terms, 1.0, ~picked & (np.arange(200) < 150), nothing).tau is None


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5_000), SHARES, st.sampled_from([0.01, 0.05, 0.2]), DELTAS)
def test_claims_are_so_low_that_what_passes_narrowly_can_be_published(
    accepted: int, p: float, alpha: float, delta: float
) -> None:
    limit, last = claims(np.array([accepted // 2, accepted]), p, alpha, delta).tolist()
    assert 1 <= limit <= alpha * (accepted // 2) + 1
    assert last == math.floor(alpha * accepted) + 1
    (most,) = most_refuting(np.array([limit]), np.array([p]), delta).tolist()
    if most > 0 and limit > 1:
        assert limit - 1 - most <= alpha * (accepted // 2) * (1 - p)


def test_without_thresholds_there_is_nothing_to_claim() -> None:
    assert len(claims(np.empty(0, np.int64), 0.1, 0.05, 0.1)) == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), SHARES, DELTAS)
def test_the_most_found_errors_that_refute(errors: int, p: float, delta: float) -> None:
    (most,) = most_refuting(np.array([errors]), np.array([p]), delta).tolist()
    cdf = binom.cdf(np.arange(errors + 1), errors, p)
    assert most == int((cdf < delta).sum()) - 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limits": np.array([1])}, "1 claims for 2 thresholds"),
        ({"limits": np.array([1, 9])}, "must lie between"),
        ({"limits": np.array([0, 1])}, "must lie between"),
        ({"kept": np.ones(4, np.bool_)}, "audited or wrong label is to be published"),
        ({"proven": np.array([False, True, True, False])}, "audited or wrong label is to be published"),
    ],
)
def test_slips_are_refused(changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "limits": np.array([1, 1]),
        "kept": np.array([False, True, False, True]),
        "proven": np.array([False, False, True, False]),
    }
    with pytest.raises(ValueError, match=message):
        published_verdict(
            [0.9, 0.8, 0.7, 0.6],
            np.array([0.8, 0.6]),
            start=0,
            audited=[0, 2],
            wrong=[False, True],
            p=0.5,
            alpha=0.1,
            delta=0.1,
            tie=1.0,
            **{**arguments, **changes},  # type: ignore[arg-type]
        )


def passes(
    scores: F8,
    lambdas: F8,
    limits: I8,
    wrong: Mask,
    picked: Mask,
    p: float,
    alpha: float,
    delta: float,
) -> bool:
    audited = np.flatnonzero(picked)
    tau = published_verdict(
        scores, lambdas, limits, 0, audited, wrong[audited], p, alpha, delta, 1.0, ~picked, picked & wrong
    ).tau
    return tau is not None


def broken_shares(
    scores: F8,
    errors: Mask,
    lambdas: F8,
    limits: I8,
    start: int,
    p: float,
    alpha: float,
    delta: float,
    *,
    rest: float,
) -> tuple[float, float]:
    """Probability, over every possible toss, of too many errors among what is published, and was frozen."""
    shares = coin_shares(scores, lambdas, p, rest)
    published = frozen = 0.0
    for coins in itertools.product([False, True], repeat=len(scores)):
        mask = np.array(coins)
        chance = float(np.prod(np.where(mask, shares, 1 - shares)))
        if not chance:
            continue
        audited = np.flatnonzero(mask)
        terms = (lambdas, limits, start, audited, errors[audited], p, alpha, delta, 1.0)
        tau = published_verdict(scores, *terms, ~mask, mask & errors).tau
        above = scores >= tau if tau is not None else np.zeros(len(scores), np.bool_)
        left = above & ~mask
        published += chance * ((left & errors).sum() > alpha * left.sum())
        frozen += chance * ((above & errors).sum() > alpha * above.sum())
    return published, frozen
