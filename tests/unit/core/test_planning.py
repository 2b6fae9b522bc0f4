"""What a target costs before it is spent."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.planning import (
    Budgets,
    Plan,
    Sample,
    budgets_of,
    buy,
    expected_rates,
    foreseen_chance,
    guessed_sample,
    make_plan,
    usual_size,
)
from daemon.core.policy import Policy
from daemon.core.report_rows import NOTHING_YET, Overview
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.window_rows import WindowRecord
from labeling_functions.label_space import LabelSpace
from models.bundle import Bundle
from models.guarantee.window import expected_errors, thresholds

POLICY = Policy(
    classes=("ham", "spam"),
    tiers={
        "crowd": TierSettings(price=0.05, accuracy=0.8),
        "expert": TierSettings(price=0.6, final=True, accuracy=0.98, seconds_per_answer=30),
    },
    guarantee=GuaranteeSettings(window_items=5_000, audit_share=0.06, cold_start_gold=60),
    routing=RoutingSettings(ask_below=0.9),
)
BUNDLE = Bundle.from_priors(POLICY.classes, {"crowd": 0.8, "expert": 0.98})


def _sample(rate: float = 0.02, per_day: float | None = 200_000.0, doubtful: float = 0.2) -> Sample:
    """Some items are doubtful, of the others this share is wrong."""
    right = np.where(np.arange(1_000) < 1_000 * doubtful, 0.6, 1 - rate)
    return Sample(np.stack([right, 1 - right], axis=1), right, per_day)


def _closed(wrong: int, tau: float | None = None) -> WindowRecord:
    scores = np.linspace(0.9, 1, 300, dtype=np.float32)
    return WindowRecord(1, 5_000, 0.06, 0.05, 0.1, tau, 0, scores, np.arange(300) < wrong, 0)


def _overview(gold: int = 60, rejected: int = 0, windows: Sequence[WindowRecord] = ()) -> Overview:
    return replace(NOTHING_YET, gold=gold, rejected=rejected, windows=windows)


def _plan(policy: Policy = POLICY, sample: Sample | None = None, gold: int = 60, rejected: int = 0) -> Plan:
    return make_plan(sample or _sample(), _overview(gold, rejected), BUNDLE, policy)


def test_money_and_hours_until_the_first_certificate() -> None:
    plan = _plan()
    window = next(one for one in plan.windows if one.window_items == 5_000)
    assert window.windows is not None and window.audits is not None and window.items is not None
    assert window.audits == pytest.approx(300 * window.windows)
    assert window.money == pytest.approx(0.6 * window.audits)
    assert window.hours == pytest.approx(window.audits * 30 / 3_600)
    assert window.items == pytest.approx(5_000 * window.windows / 0.8)
    assert window.days == pytest.approx(window.items / 200_000)
    assert plan.ready_share == pytest.approx(0.8)


def test_larger_windows_have_better_chances() -> None:
    assert [one.window_items for one in _plan().windows] == [2_500, 5_000, 10_000]
    chances = [one.chance for one in _plan().windows]
    assert chances == sorted(chances)


def test_what_can_not_be_expected_has_no_price() -> None:
    strict = replace(POLICY, guarantee=replace(POLICY.guarantee, target_error=0.005))
    hopeless = _plan(strict, _sample(rate=0.09)).windows[0]
    assert hopeless.share < 0.01
    assert (hopeless.windows, hopeless.money, hopeless.days) == (None, None, None)
    nobody_sure = _plan(sample=_sample(doubtful=1.0))
    assert (nobody_sure.windows, nobody_sure.experts) == ([], [])


def test_the_cold_start_is_paid_as_well() -> None:
    early, late = _plan(gold=0).windows[1], _plan(gold=60).windows[1]
    assert early.money is not None and late.money is not None
    assert early.money - late.money == pytest.approx(60 * 0.6)


def test_a_rejected_first_bundle_makes_the_cold_start_dearer() -> None:
    before, after = _plan(), _plan(rejected=1)
    assert before.windows[1].money is not None and after.windows[1].money is not None
    assert after.windows[1].money - before.windows[1].money == pytest.approx(60 * 0.6)
    assert not any("random blind answers are in" in guess for guess in before.guesses)
    assert any("Only 60 random blind answers are in" in guess for guess in after.guesses)


def test_two_experts_cost_twice_and_a_little() -> None:
    double = replace(POLICY, guarantee=replace(POLICY.guarantee, audit_protocol="double"))
    one, two = _plan().windows[1].money, _plan(double).windows[1].money
    assert one is not None and two is not None
    assert 2 < two / one < 2.1


def test_against_worse_experts_less_is_released() -> None:
    plan = _plan(sample=_sample(rate=0.005))
    shares = [one.share for one in plan.experts]
    assert shares == sorted(shares, reverse=True)
    assert plan.experts[0].chance > 0.9
    assert plan.experts[-1].chance < 0.3


def test_audits_at_the_error_seen() -> None:
    seen = make_plan(_sample(), _overview(windows=[_closed(153)]), BUNDLE, POLICY)
    assert (seen.least_audits, seen.usual_audits) == (45, 184)
    assert make_plan(_sample(), _overview(windows=[_closed(300)]), BUNDLE, POLICY).usual_audits is None


def test_the_chance_of_a_window_is_foreseen_from_earlier_ones() -> None:
    window = _closed(0)
    good, bad = (foreseen_chance(window, window.scores, [_closed(wrong)]) for wrong in (0, 250))
    assert good is not None and bad is not None
    assert good > 0.9
    assert bad < 0.6
    nothing = replace(window, scores=window.scores[:0], wrong=window.wrong[:0])
    assert foreseen_chance(nothing, window.scores, []) is None


def test_a_slow_stream_has_smaller_windows() -> None:
    assert usual_size(POLICY, 0.8, None) == 5_000
    assert usual_size(POLICY, 0.8, 1e9) == 5_000
    assert usual_size(POLICY, 0.8, 24 * 2_500) == 2_000
    assert usual_size(POLICY, 0.8, 10) == 1_500, "fewer would waste their audits"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([0.9, 0.93, 0.95, 0.97, 0.99, 1.0]), min_size=1, max_size=60),
    st.integers(0, 300),
)
def test_rates_add_up_to_the_errors_that_windows_are_planned_by(scores: list[float], wrong: int) -> None:
    falling = np.sort(np.array(scores))[::-1]
    window = _closed(wrong)
    rates = expected_rates(falling, [window])
    lambdas = thresholds(falling)
    expected = expected_errors(falling, lambdas, window.scores, window.wrong)
    assert rates.sum() == pytest.approx(expected[-1])
    assert (np.diff(rates) >= -1e-9).all()


def test_before_any_item_it_says_that_it_guesses() -> None:
    plan = make_plan(guessed_sample(POLICY.space, None), NOTHING_YET, BUNDLE, POLICY)
    assert any("No item has come yet" in guess for guess in plan.guesses)
    assert 0.4 < plan.ready_share < 0.6
    assert plan.windows[1].money is not None
    assert plan.windows[1].days is None
    assert guessed_sample(LabelSpace(tuple("abcde")), None).posterior.sum(axis=1) == pytest.approx(1)


def test_audits_are_paid_before_anything_else() -> None:
    audits = 0.8 * 0.06 * 0.6
    starved = buy(_sample(), [], BUNDLE, POLICY, Budgets(total=audits))
    fed = buy(_sample(), [], BUNDLE, POLICY, Budgets(total=audits + 0.05))
    assert starved.cost == 0
    assert 0 < fed.cost <= 0.05 + 1e-9
    assert fed.accuracy > starved.accuracy


def test_the_settings_budgets_are_shared_by_the_items_of_a_day() -> None:
    tiers = {**POLICY.tiers, "crowd": replace(POLICY.tiers["crowd"], budget_per_day=10.0)}
    assert budgets_of(replace(POLICY, tiers=tiers), 1_000.0) == Budgets(tiers=(("crowd", 0.01),))
    assert budgets_of(replace(POLICY, tiers=tiers), None) == Budgets()


def test_labels_pass_from_the_last_threshold_on() -> None:
    released = buy(_sample(), [_closed(0, tau=0.97)], BUNDLE, POLICY, Budgets(total=0.0)).certified
    withheld = buy(_sample(), [_closed(0, tau=0.99)], BUNDLE, POLICY, Budgets(total=0.0)).certified
    assert (released, withheld) == (pytest.approx(0.8), 0.0)
