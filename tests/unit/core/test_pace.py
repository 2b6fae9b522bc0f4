"""Money spread over a day."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.pace import SWING, Pace, remaining_items


def test_the_rate_of_today_says_what_is_still_to_come() -> None:
    assert remaining_items(1_000, 0.5) == pytest.approx(1_000)
    assert remaining_items(1_000, 1.0) == 0
    assert remaining_items(0, 0.0) == 0
    assert remaining_items(10, 0.0) == pytest.approx(240)  # as if an hour had passed


def test_yesterday_speaks_until_today_is_known() -> None:
    assert remaining_items(0, 0.0, before=2_400) == pytest.approx(2_400)
    late = remaining_items(9_000, 0.9, before=100)
    assert late == pytest.approx(1_000, rel=0.1)


def test_without_a_budget_there_is_no_pace() -> None:
    pace = Pace(None, 0, 5.0, 10, 10)
    assert pace.per_item() is pace.for_arrivals(5) is pace.for_returns() is pace.for_learning(5) is None


def test_money_is_spread_over_what_is_left() -> None:
    assert Pace(100.0, 0, 50.0, 500, 500).per_item() == pytest.approx(0.1)
    assert Pace(100.0, 0, 45.0, 500, 500).per_item() == pytest.approx(0.11)
    assert Pace(100.0, 40.0, 30.0, 500, 500).per_item() == pytest.approx(0.06)


def test_no_feast_and_no_famine() -> None:
    assert Pace(100.0, 0, 0.0, 900, 100).per_item() == pytest.approx(0.1 * (1 + SWING))
    assert Pace(100.0, 0, 99.0, 500, 500).per_item() == pytest.approx(0.1 * (1 - SWING))


def test_what_arrivals_leave_is_there_for_those_that_come_back() -> None:
    unused = Pace(100.0, 0, 10.0, 500, 500)
    returns = unused.for_returns()
    assert returns == pytest.approx(50 - 10)
    assert Pace(100.0, 0, 80.0, 500, 500).for_returns() == 0


def test_single_items_save_until_a_dear_vote_can_be_paid() -> None:
    """One item at a time with 0.1 each: an expert at 0.6 can be paid after some of them."""
    grants = [Pace(100.0, 0, 0.0, arrived, 1_000 - arrived).for_arrivals(1) for arrived in range(10)]
    assert grants[0] is not None and grants[0] < 0.15
    assert max(grant or 0 for grant in grants) > 0.6


@settings(max_examples=50, deadline=None)
@given(
    budget=st.floats(0, 1_000),
    audits=st.floats(0, 500),
    spent=st.floats(0, 500),
    arrived=st.integers(0, 10_000),
    remaining=st.floats(0, 10_000),
    batch=st.integers(0, 512),
)
def test_nothing_is_given_that_is_not_there(
    budget: float, audits: float, spent: float, arrived: int, remaining: float, batch: int
) -> None:
    pace = Pace(budget, audits, spent, arrived, remaining)
    for money in (pace.for_arrivals(batch), pace.for_returns(), pace.for_learning(batch)):
        assert money is not None
        assert 0 <= money <= max(budget - audits - spent, 0) + 1e-9


def test_a_day_ends_near_its_budget() -> None:
    """Batches of uneven size that spend what they may; audits are paid besides."""
    random = np.random.default_rng(2)
    sizes = random.integers(50, 400, 60)
    ends = np.cumsum(sizes)
    spent = 0.0
    for number, size in enumerate(sizes):
        arrived = int(ends[number] - size)
        remaining = max(remaining_items(int(ends[number]), (number + 1) / len(sizes)) + size, size)
        pace = Pace(500.0, 100.0, spent, arrived, remaining)
        spent += (pace.for_arrivals(int(size)) or 0.0) + (pace.for_learning(int(size)) or 0.0)
    assert 0.9 * 400 < spent <= 400 + 1e-6
