"""The ledger of released labels: valid at every moment, whoever chooses it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.guarantee.binomial import error_upper_bound
from models.guarantee.outgoing import RATES, Ledger, anytime_upper_bound

SHARES = st.floats(0.005, 1.0)
DELTAS = st.floats(0.01, 0.5)


def wealth(found: int, errors: int, p: float) -> float:
    """The mixture as it stands in the docstring, term by term."""
    return float(np.mean([np.exp(-rate * found) / (1 - p * (1 - np.exp(-rate))) ** errors for rate in RATES]))


@given(st.integers(0, 40), st.floats(0.02, 1.0), DELTAS)
def test_it_is_the_largest_number_that_the_martingale_allows(found: int, p: float, delta: float) -> None:
    bound = anytime_upper_bound(found, p, delta)
    assert bound == found or wealth(found, bound, p) <= 1 / delta * (1 + 1e-9)
    assert wealth(found, bound + 1, p) > 1 / delta * (1 - 1e-9)


@given(st.integers(0, 60), SHARES, DELTAS)
def test_it_grows_with_what_is_found_and_shrinks_with_more_audits(found: int, p: float, delta: float) -> None:
    bound = anytime_upper_bound(found, p, delta)
    assert bound >= found
    assert anytime_upper_bound(found + 1, p, delta) > bound - 1
    assert anytime_upper_bound(found, min(1.0, 1.5 * p), delta) <= bound


@given(st.integers(0, 60), SHARES, DELTAS)
def test_looking_at_all_times_costs_something(found: int, p: float, delta: float) -> None:
    assert anytime_upper_bound(found, p, delta) >= error_upper_bound(found, p, delta)


def test_the_chance_of_ever_being_wrong_is_below_delta() -> None:
    """Exactly, for every sequence of twelve coins: whoever stops at the worst moment is still right."""
    p, delta, errors = 0.3, 0.2, 12
    broken = 0.0
    for coins in itertools.product([0, 1], repeat=errors):
        found = np.cumsum(coins)
        if any(e + 1 > anytime_upper_bound(int(k), p, delta) for e, k in enumerate(found)):
            broken += p ** sum(coins) * (1 - p) ** (errors - sum(coins))
    assert broken <= delta


@pytest.mark.parametrize("p", [0.01, 0.05, 0.2])
def test_long_lives_keep_the_promise(p: float) -> None:
    delta, errors, lives = 0.1, 3_000, 2_000
    random = np.random.Generator(np.random.PCG64(3))
    found = np.cumsum(random.random((lives, errors)) < p, axis=1)
    bounds = np.array([anytime_upper_bound(k, p, delta) for k in range(int(found.max()) + 1)])
    broken = float((np.arange(1, errors + 1) > bounds[found]).any(axis=1).mean())
    assert broken <= delta + 3 * np.sqrt(delta * (1 - delta) / lives)


def test_the_least_probability_holds_for_all() -> None:
    """Half of the labels are audited with 10 %, half with 30 %; the ledger counts with 10 %."""
    delta, errors, lives = 0.1, 1_000, 2_000
    random = np.random.Generator(np.random.PCG64(4))
    shares = np.where(np.arange(errors) % 2, 0.1, 0.3)
    found = np.cumsum(random.random((lives, errors)) < shares, axis=1)
    bounds = np.array([anytime_upper_bound(k, 0.1, delta) for k in range(int(found.max()) + 1)])
    assert (np.arange(1, errors + 1) > bounds[found]).any(axis=1).mean() <= delta


def test_a_young_ledger_cannot_tell_and_suspends_nothing() -> None:
    young = Ledger(released=100, found=3, p=0.01, delta=0.1, alpha=0.05)
    assert not young.telling and not young.suspended
    assert young.bound == 100


def test_a_clean_old_ledger_tells_and_lets_pass() -> None:
    old = Ledger(released=20_000, found=0, p=0.01, delta=0.1, alpha=0.05)
    assert old.telling and not old.suspended
    assert 0 < old.share < 0.05


def test_errors_found_suspend() -> None:
    bad = Ledger(released=20_000, found=20, p=0.01, delta=0.1, alpha=0.05)
    assert bad.suspended
    assert bad.bound == bad.remaining + 20
    assert bad.share == pytest.approx(bad.remaining / 20_000)


def test_nothing_released_is_nothing_wrong() -> None:
    empty = Ledger(released=0, found=0, p=0.01, delta=0.1, alpha=0.05)
    assert (empty.bound, empty.remaining, empty.share, empty.suspended) == (0, 0, 0.0, False)


@pytest.mark.parametrize(
    ("found", "p", "delta"), [(-1, 0.1, 0.1), (0, 0.0, 0.1), (0, 1.1, 0.1), (0, 0.1, 1.0)]
)
def test_impossible_arguments_are_refused(found: int, p: float, delta: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        anytime_upper_bound(found, p, delta)
