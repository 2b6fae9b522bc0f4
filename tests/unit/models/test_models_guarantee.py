"""The certificate: exact bounds, a valid test, reproducible coins."""

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from models.arrays import F8, Mask
from models.guarantee.binomial import audits_needed, error_upper_bound, refuted
from models.guarantee.window import (
    accepted_counts,
    coin_shares,
    expected_errors,
    start_index,
    thresholds,
    tie_coin,
    toss,
    verdict,
)


@pytest.mark.parametrize("p", [0.03, 0.06, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("delta", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("found", [0, 1, 2, 7, 30])
def test_error_bound_equals_a_direct_search(found: int, p: float, delta: float) -> None:
    errors = np.arange(found, found + int(40 * (found + 3) / p))
    compatible = errors[binom.cdf(found, errors, p) >= delta]
    assert compatible[-1] < errors[-1], "the search range must hold the answer"
    assert error_upper_bound(found, p, delta) == compatible[-1]


def test_error_bound_grows_with_errors_found_and_is_fit_for_large_windows() -> None:
    bounds = [error_upper_bound(found, 0.06, 0.1) for found in range(0, 200)]
    assert all(a < b for a, b in itertools.pairwise(bounds))
    huge = error_upper_bound(100_000, 0.01, 0.1)
    assert binom.cdf(100_000, huge, 0.01) >= 0.1 > binom.cdf(100_000, huge + 1, 0.01)


@pytest.mark.parametrize(
    ("found", "p", "delta"), [(-1, 0.1, 0.1), (0, 0.0, 0.1), (0, 1.1, 0.1), (0, 0.1, 1.0)]
)
def test_error_bound_refuses_what_is_out_of_range(found: int, p: float, delta: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        error_upper_bound(found, p, delta)


def test_audits_needed_are_those_of_the_plan() -> None:
    wanted = {(0.05, 0.1): 45, (0.05, 0.05): 59, (0.02, 0.1): 114, (0.02, 0.05): 149, (0.01, 0.1): 230}
    assert {key: audits_needed(*key) for key in wanted} == wanted
    assert audits_needed(0.01, 0.05) == 299
    with pytest.raises(ValueError, match="between 0 and 1"):
        audits_needed(0.0, 0.1)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1, width=16), min_size=1, max_size=300), st.integers(1, 60))
def test_thresholds_fall_strictly_are_scores_and_accept_everything_last(
    scores: list[float], most: int
) -> None:
    lambdas = thresholds(scores, most)
    assert 1 <= len(lambdas) <= most
    assert (np.diff(lambdas) < 0).all()
    assert set(lambdas) <= set(scores)
    assert lambdas[-1] == min(scores)


def test_thresholds_accept_evenly_growing_shares() -> None:
    scores = np.linspace(0, 1, 1000)
    assert accepted_counts(scores, thresholds(scores, 10)).tolist() == list(range(100, 1001, 100))
    assert len(thresholds([])) == 0
    with pytest.raises(ValueError, match="finite"):
        thresholds([0.5, float("nan")])


def test_ties_stand_on_the_accepted_side() -> None:
    scores = np.array([0.9, 0.8, 0.8, 0.7], np.float32)
    assert accepted_counts(scores, scores[[0, 1, 3]].astype(np.float64)).tolist() == [1, 3, 4]


def test_expected_errors_without_history_are_cautious_and_grow() -> None:
    scores = np.linspace(0.5, 1, 200)
    lambdas = thresholds(scores)
    expected = expected_errors(scores, lambdas, [], [])
    assert (np.diff(expected) > 0).all()
    assert expected[-1] > (1 - scores).sum()


def test_expected_errors_follow_history() -> None:
    """Scores of .9 that were wrong half of the time are expected to be so again."""
    random = np.random.default_rng(0)
    past = np.repeat([0.9, 0.99], 500)
    wrong = np.concatenate([random.random(500) < 0.5, random.random(500) < 0.01])
    scores = np.repeat([0.99, 0.9], 100)
    expected = expected_errors(scores, np.array([0.99, 0.9]), past, wrong)
    assert expected[0] < 5
    assert 35 < expected[1] < 65


def test_the_test_starts_where_the_margin_is_widest() -> None:
    accepted, expected = np.array([10, 1000, 5000]), np.array([0.0, 5.0, 600.0])
    assert start_index(accepted, expected, p=0.06, alpha=0.05, delta=0.1) == 1
    assert start_index([], [], 0.06, 0.05, 0.1) == 0


def test_coins_are_the_same_on_every_machine_and_fair() -> None:
    assert np.flatnonzero(toss(7, 100, 0.06)).tolist() == np.flatnonzero(toss(7, 100, 0.06)).tolist()
    assert np.flatnonzero(toss(20240601, 60, 0.1)).tolist() == [16, 19, 22, 25, 28, 34, 47, 53]
    assert toss(1, 200_000, 0.06).mean() == pytest.approx(0.06, abs=0.003)
    assert toss(1, 50, 1.0).all()


def test_verdict_stops_at_the_first_threshold_that_fails() -> None:
    scores = np.repeat([0.9, 0.8, 0.7, 0.6], 100)
    everything = np.arange(400)
    wrong = (everything >= 200) & (everything < 220)
    result = verdict(scores, np.array([0.9, 0.8, 0.7, 0.6]), 0, everything, wrong, 1.0, 0.05, 0.1)
    assert result.accepted.tolist() == [100, 200, 300, 400]
    assert result.errors.tolist() == [0, 0, 20, 20]
    assert result.tau == 0.8  # 20 of 400 would be allowed again, but the sequence ended before


def test_verdict_looks_at_nothing_above_its_start_and_certifies_what_lies_above() -> None:
    scores = np.repeat([0.9, 0.8], 100)
    audited = np.arange(200)
    wrong = audited < 8
    lambdas = np.array([0.9, 0.8])
    assert verdict(scores, lambdas, 0, audited, wrong, 1.0, 0.05, 0.1).tau is None
    assert verdict(scores, lambdas, 1, audited, wrong, 1.0, 0.05, 0.1).tau == 0.8


def test_verdict_without_audits_or_items_certifies_nothing() -> None:
    assert verdict([0.9] * 50, np.array([0.9]), 0, [], [], 0.06, 0.05, 0.1).tau is None
    assert verdict([], np.empty(0), 0, [], [], 0.06, 0.05, 0.1).tau is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wrong": [True]}, "2 audits but 1 results"),
        ({"audited": [1, 1]}, "audited twice"),
        ({"audited": [0, 9]}, "outside the 4 frozen items"),
        ({"lambdas": np.array([0.5, 0.5])}, "fall strictly"),
        ({"start": 2}, "outside the 2 thresholds"),
    ],
)
def test_verdict_refuses_slips(changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "scores": [0.9, 0.8, 0.7, 0.6],
        "lambdas": np.array([0.8, 0.6]),
        "start": 0,
        "audited": [0, 2],
        "wrong": [False, True],
    }
    with pytest.raises(ValueError, match=message):
        verdict(**{**arguments, **changes}, p=0.5, alpha=0.1, delta=0.1)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    wrong=st.lists(st.booleans(), min_size=4, max_size=9),
    levels=st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.8]), min_size=9, max_size=9),
    start=st.integers(0, 3),
    p=st.sampled_from([0.3, 0.6, 0.9]),
    alpha=st.sampled_from([0.15, 0.3, 0.45]),
    delta=st.sampled_from([0.1, 0.3]),
)
def test_no_small_window_breaks_the_promise_over_all_its_coins(
    wrong: list[bool], levels: list[float], start: int, p: float, alpha: float, delta: float
) -> None:
    """Every possible toss is played: the probability of releasing too many errors is summed up exactly."""
    n = len(wrong)
    scores, errors = np.array(levels[:n]), np.array(wrong)
    lambdas = thresholds(scores)
    terms = (lambdas, min(start, len(lambdas) - 1), p, alpha, delta)
    assert broken_share(scores, errors, *terms, rest=p, ties=[1.0]) <= delta + 1e-12


@settings(max_examples=15, deadline=None)
@given(
    wrong=st.lists(st.booleans(), min_size=4, max_size=7),
    levels=st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.8]), min_size=7, max_size=7),
    last=st.integers(1, 4),
    p=st.sampled_from([0.3, 0.6, 0.9]),
    rest=st.sampled_from([0.0, 0.1]),
    alpha=st.sampled_from([0.15, 0.3, 0.45]),
    delta=st.sampled_from([0.1, 0.3]),
)
def test_rare_coins_below_the_last_threshold_and_the_tie_keep_the_promise(
    wrong: list[bool], levels: list[float], last: int, p: float, rest: float, alpha: float, delta: float
) -> None:
    n = len(wrong)
    scores, errors = np.array(levels[:n]), np.array(wrong)
    lambdas = thresholds(scores)[:last]
    ties = (np.arange(20) + 0.5) / 20
    for start in range(len(lambdas)):
        share = broken_share(scores, errors, lambdas, start, p, alpha, delta, rest=rest, ties=ties)
        assert share <= delta + 1 / 40 + 1e-12, "the grid of ties is only so fine"


@pytest.mark.parametrize(("errors", "p", "delta"), [(5, 0.3, 0.2), (150, 0.1, 0.1), (2, 0.9, 0.05)])
def test_with_a_tie_a_false_claim_passes_with_probability_delta(errors: int, p: float, delta: float) -> None:
    """Integrated exactly: the share of ties that refute is piecewise linear in the chances."""
    passes = 0.0
    for found in range(errors + 1):
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if refuted(errors, found, p, delta, middle) else (low, middle)
        passes += low * float(binom.pmf(found, errors, p))
    assert passes == pytest.approx(delta, abs=1e-6)


@given(st.integers(0, 30), st.integers(1, 400), st.floats(0.02, 1.0), st.floats(0.01, 0.5))
def test_without_a_tie_refuting_is_what_the_bound_says(
    found: int, errors: int, p: float, delta: float
) -> None:
    assert refuted(errors, found, p, delta) == (error_upper_bound(found, p, delta) < errors)


def test_coins_fall_by_the_last_threshold_and_the_tie_is_its_own() -> None:
    scores = np.array([0.9, 0.7, 0.8, 0.6])
    assert coin_shares(scores, np.array([0.9, 0.8]), 0.5, 0.01).tolist() == [0.5, 0.01, 0.5, 0.01]
    assert coin_shares(scores, np.empty(0), 0.5, 0.01).tolist() == [0.01] * 4
    shares = np.array([1.0, 0.0, 1.0, 0.0])
    assert toss(3, 4, shares).tolist() == [True, False, True, False]
    assert tie_coin(3, 4) == np.random.Generator(np.random.PCG64(3)).random(5)[4]


def broken_share(
    scores: F8,
    errors: Mask,
    lambdas: F8,
    start: int,
    p: float,
    alpha: float,
    delta: float,
    *,
    rest: float,
    ties: Iterable[float],
) -> float:
    """Probability, over every possible toss, of releasing too many errors; averaged over the ties."""
    shares = coin_shares(scores, lambdas, p, rest)
    broken = 0.0
    for coins in itertools.product([False, True], repeat=len(scores)):
        mask = np.array(coins)
        chance = float(np.prod(np.where(mask, shares, 1 - shares)))
        if not chance:
            continue
        audited = np.flatnonzero(mask)
        taus = [
            verdict(scores, lambdas, start, audited, errors[audited], p, alpha, delta, tie).tau
            for tie in ties
        ]
        broken += chance * float(
            np.mean([tau is not None and errors[scores >= tau].mean() > alpha for tau in taus])
        )
    return broken
