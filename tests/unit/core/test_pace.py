"""Money let go over a day."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.pace import LEARNING_SHARE, Arrived, Left, Taken, money_left, remaining_items
from daemon.core.states import Purpose


def test_the_rate_of_today_says_what_is_still_to_come() -> None:
    assert remaining_items(1_000, 0.5) == pytest.approx(1_000)
    assert remaining_items(1_000, 1.0) == 0
    assert remaining_items(0, 0.0) == 0
    assert remaining_items(10, 0.0) == pytest.approx(240)  # as if an hour had passed


def test_yesterday_speaks_until_today_is_known() -> None:
    assert remaining_items(0, 0.0, before=2_400) == pytest.approx(2_400)
    late = remaining_items(9_000, 0.9, before=100)
    assert late == pytest.approx(1_000, rel=0.1)


def test_the_share_of_the_day_is_that_of_its_items() -> None:
    assert Arrived(0, 2_400, 0.0).share == 0
    assert Arrived(1_200, 2_400, 0.5).share == pytest.approx(0.5)
    assert Arrived(2_000, 2_400, 0.5).share == pytest.approx(0.5, abs=0.02), "a busier day goes on being busy"
    assert Arrived(2_400, 2_400, 1.0).share == 1


def test_a_silent_day_does_not_starve_what_waits_from_the_day_before() -> None:
    shares = [Arrived(0, 10_000, passed).share for passed in (0.0, 0.25, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert Arrived(0, 0, 0.0).share == 1


def test_without_a_cap_there_is_no_limit() -> None:
    left = money_left(None, Taken(settling=10**12), Arrived(1, 100, 0.1), learns=True)
    assert {left.for_purpose(purpose) for purpose in Purpose} == {math.inf}


def test_without_a_pace_the_whole_budget_is_there() -> None:
    left = money_left(1_000, Taken(audits=200, settling=100), None, learns=False)
    assert left.for_purpose(Purpose.SETTLE) == left.for_purpose(Purpose.ADJUDICATE) == 700
    assert left.for_purpose(Purpose.AUDIT) == math.inf, "audits were paid when they were made"


def test_a_share_is_kept_for_learning_and_neither_takes_from_the_other() -> None:
    left = money_left(1_000, Taken(), None, learns=True)
    assert left.for_purpose(Purpose.LEARN) == pytest.approx(1_000 * LEARNING_SHARE)
    assert left.for_purpose(Purpose.SETTLE) == pytest.approx(1_000 * (1 - LEARNING_SHARE))
    spent = money_left(1_000, Taken(settling=900), None, learns=True)
    assert spent.for_purpose(Purpose.SETTLE) <= 0
    assert spent.for_purpose(Purpose.LEARN) == pytest.approx(100)


def test_audits_that_are_still_to_come_stand_outside() -> None:
    half = Arrived(1_200, 2_400, 0.5)
    assert money_left(1_000, Taken(audits=100, audits_before=400), half, False).settling == pytest.approx(300)
    assert money_left(1_000, Taken(audits=600, audits_before=400), half, False).settling == pytest.approx(200)


def test_promises_add_up_against_the_cap() -> None:
    left = Left(settling=50, learning=50, cap=60)
    once = left.without(Purpose.SETTLE, 50)
    assert once.for_purpose(Purpose.SETTLE) == 0
    assert once.for_purpose(Purpose.LEARN) == 10, "less than its share: the cap is near"
    assert left.without(Purpose.GOLD, 50) == left


@settings(max_examples=80, deadline=None)
@given(
    cap=st.integers(0, 10_000),
    audits=st.integers(0, 5_000),
    before=st.integers(0, 5_000),
    today=st.integers(0, 10_000),
    items=st.integers(0, 10_000),
    passed=st.floats(0, 1),
    learns=st.booleans(),
    price=st.integers(1, 500),
)
def test_no_cap_is_passed_whoever_is_asked(
    cap: int, audits: int, before: int, today: int, items: int, passed: float, learns: bool, price: int
) -> None:
    taken = Taken(audits=audits, audits_before=before)
    left = money_left(cap, taken, Arrived(today, items, passed), learns)
    promised = 0
    for purpose in (Purpose.SETTLE, Purpose.LEARN) * 40:
        if price <= left.for_purpose(purpose):
            left, promised = left.without(purpose, price), promised + price
    assert promised <= max(cap - audits, 0)


def test_a_day_ends_near_its_budget_and_its_evening_is_not_poorer_than_its_morning() -> None:
    random = np.random.default_rng(2)
    sizes = random.integers(50, 400, 60)
    settling, halves = 0, [0, 0]
    for number, arrived in enumerate(np.cumsum(sizes).tolist()):
        passed = (number + 1) / len(sizes)
        taken = Taken(audits=round(100_000 * passed), settling=settling, audits_before=100_000)
        left = money_left(500_000, taken, Arrived(arrived, 13_000, passed), learns=False)
        while left.for_purpose(Purpose.SETTLE) >= 600:  # everybody wants to be asked at once
            left = left.without(Purpose.SETTLE, 600)
            settling += 600
            halves[number // 30] += 600
    assert 0.9 * 400_000 < settling <= 400_000
    assert 0.6 < halves[0] / halves[1] < 1.5
