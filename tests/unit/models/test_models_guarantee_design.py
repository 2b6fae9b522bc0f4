"""Designs spend what they may, planning is honest, and the whole-set claim holds over all coins."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from models.arrays import F8
from models.guarantee.design import design, passing
from models.guarantee.pac import whole_set_verdict
from models.guarantee.planning import audits_to_pass, outlook
from models.guarantee.window import accepted_counts, coin_shares, thresholds


def easy_and_hard(n: int, seed: int = 0) -> F8:
    """Scores as those of the simulated streams."""
    return np.asarray(1 / (1 + np.exp(-np.random.default_rng(seed).normal(2.2, 1.6, n))))


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.floats(0, 1, width=16), min_size=1, max_size=300),
    share=st.sampled_from([0.01, 0.06, 0.5, 1.0]),
    alpha=st.sampled_from([0.02, 0.1, 0.4]),
)
def test_a_design_is_fit_for_a_verdict_and_spends_no_more_than_it_may(
    scores: list[float], share: float, alpha: float
) -> None:
    plan = design(scores, [], [], share, alpha, 0.1)
    assert set(plan.lambdas) <= set(scores)
    assert (np.diff(plan.lambdas) < 0).all()
    assert 0 <= plan.start < len(plan.lambdas)
    assert 0 < plan.p <= 1 and 0 <= plan.share <= 1 and 0 <= plan.chance <= 1
    coins = coin_shares(scores, plan.lambdas, plan.p, plan.rest)
    assert coins.sum() <= share * len(scores) + 1e-6


def test_nothing_frozen_designs_nothing() -> None:
    plan = design([], [], [], 0.06, 0.05, 0.1)
    assert (len(plan.lambdas), plan.share) == (0, 0.0)


def test_audits_fall_where_they_can_release_something() -> None:
    scores = easy_and_hard(5_000)
    plan = design(scores, [], [], 0.06, 0.05, 0.1)
    above = scores >= plan.lambdas[-1]
    assert plan.p > 0.09 > 0.06 > plan.rest > 0
    assert 0.2 < above.mean() < 0.6


def test_history_that_disappoints_makes_a_design_more_careful() -> None:
    scores = easy_and_hard(5_000)
    past = easy_and_hard(1_000, seed=1)
    random = np.random.default_rng(2).random(1_000)
    kept = design(scores, past, random > past, 0.06, 0.05, 0.1)
    broken = design(scores, past, random > past**4, 0.06, 0.05, 0.1)
    assert broken.share < kept.share
    assert broken.lambdas[-1] > kept.lambdas[-1]


def test_the_chance_to_pass_is_that_of_the_binomial_test() -> None:
    """Without uncertainty in the guess it would be the binomial's; with it, close to that."""
    accepted, errors, p = np.array([2_000]), 50, 0.1
    too_many = 101
    limit = max(k for k in range(30) if binom.cdf(k, too_many, p) < 0.1)
    sure = binom.cdf(limit, errors, p)
    chance = passing(accepted, np.array([50.0]), np.array([p]), 0.05, 0.1)[0, 0]
    assert sure - 0.1 < chance < binom.cdf(limit + 1, errors, p)
    assert passing(np.array([10]), np.array([0.0]), np.array([p]), 0.05, 0.1)[0, 0] < 0.15


@settings(max_examples=25, deadline=None)
@given(
    wrong=st.lists(st.booleans(), min_size=4, max_size=8),
    levels=st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.8]), min_size=8, max_size=8),
    p=st.sampled_from([0.3, 0.6, 0.9]),
    eps=st.sampled_from([0.1, 0.26, 0.4]),
    delta=st.sampled_from([0.1, 0.3]),
)
def test_the_whole_set_claim_holds_over_all_coins(
    wrong: list[bool], levels: list[float], p: float, eps: float, delta: float
) -> None:
    n = len(wrong)
    scores, errors = np.array(levels[:n]), np.array(wrong)
    lambdas = thresholds(scores)
    broken = 0.0
    for coins in itertools.product([False, True], repeat=n):
        audited = np.flatnonzero(coins)
        tau = whole_set_verdict(scores, lambdas, audited, errors[audited], p, eps, delta).tau
        if tau is not None and errors[scores >= tau].sum() > eps * n:
            broken += p ** len(audited) * (1 - p) ** (n - len(audited))
    assert broken <= delta + 1e-12


def test_the_whole_set_claim_lets_more_through_than_ours() -> None:
    scores = np.linspace(1, 0.5, 100)
    result = whole_set_verdict(scores, thresholds(scores, 10), np.arange(100), scores < 0.6, 1.0, 0.05, 0.1)
    assert accepted_counts(scores, np.array([result.tau])).tolist() == [80]
    assert result.errors[-1] == 20


def test_larger_windows_promise_more_and_hopeless_ones_nothing() -> None:
    rates = 1 - easy_and_hard(500)
    small, large = (outlook(rates, n, 0.06, 0.05, 0.1, price=0.5) for n in (1_000, 10_000))
    assert large.share > small.share
    assert large.chance > small.chance
    assert small.items == pytest.approx(small.windows * 1_000)
    assert small.money == pytest.approx(small.windows * 60 * 0.5)
    hopeless = outlook([0.5], 5_000, 0.06, 0.05, 0.1)
    assert math.isinf(hopeless.items) or hopeless.windows > 10
    with pytest.raises(ValueError, match="probabilities"):
        outlook([1.2], 100, 0.06, 0.05, 0.1)


@pytest.mark.parametrize(
    ("rate", "alpha", "delta"), [(0.01, 0.05, 0.1), (0.02, 0.05, 0.05), (0.008, 0.02, 0.1)]
)
def test_so_many_audits_pass_with_the_chance_asked_for(rate: float, alpha: float, delta: float) -> None:
    audits = audits_to_pass(rate, alpha, delta)
    limit = max(k for k in range(200) if binom.cdf(k, audits, alpha) <= delta)
    assert binom.cdf(limit, audits, rate) > 0.78
    assert audits >= audits_to_pass(rate / 2, alpha, delta) > audits_to_pass(0.0, alpha, delta)


def test_flawless_labels_need_the_least_audits_and_bad_ones_are_refused() -> None:
    assert [audits_to_pass(0.0, alpha, 0.1) for alpha in (0.05, 0.02, 0.01)] == [45, 114, 230]
    with pytest.raises(ValueError, match="audits_to_pass"):
        audits_to_pass(0.05, 0.05, 0.1)
