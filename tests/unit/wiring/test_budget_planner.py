"""What other budgets would do, played through on a made-up situation."""

from dataclasses import replace

import pytest

from daemon.core.policy import Policy
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.wiring.budget_planner import BudgetPlanner
from daemon.wiring.situation import Situation, guessed_situation

POLICY = Policy(
    ("ham", "spam"),
    {
        "crowd": TierSettings(price=0.05, accuracy=0.9),
        "expert": TierSettings(price=1.0, final=True, accuracy=0.98, budget_per_day=5.0),
    },
    GuaranteeSettings(),
    RoutingSettings(),
)


def _planner(per_day: float | None) -> BudgetPlanner:
    return BudgetPlanner(lambda: guessed_situation(POLICY, per_day), POLICY)


def test_more_money_makes_labels_better() -> None:
    planner = _planner(1_000.0)
    nothing = planner.what_if({"crowd": 0.0, "expert": 0.0}).forecast
    all_ = planner.what_if({"crowd": None, "expert": None}).forecast
    assert nothing is not None
    assert all_ is not None
    assert nothing.cost == 0
    assert all_.cost > 0
    assert all_.accuracy > nothing.accuracy
    assert planner.what_if({}).forecast == all_, "no limit where none is said, whatever the settings have"


def test_audits_are_told_beside_it_and_do_not_depend_on_the_budget() -> None:
    planner = _planner(1_000.0)
    least, most = planner.what_if({"expert": 0.0}), planner.what_if({})
    assert least.audits_per_day == most.audits_per_day > 0
    assert "No item has come yet" in least.guesses[0]


def test_without_a_pace_there_is_no_forecast_until_one_is_given() -> None:
    planner = _planner(None)
    assert planner.what_if({"expert": 5.0}).forecast is None
    given = planner.what_if({"expert": 5.0}, 200.0)
    assert given.per_day == 200.0
    assert given.forecast is not None
    assert given.forecast == _planner(200.0).what_if({"expert": 5.0}).forecast


def test_the_situation_is_read_once_a_minute() -> None:
    read: list[Situation] = []
    now = 0.0

    def situation() -> Situation:
        made = guessed_situation(POLICY, 1_000.0 * (len(read) + 1))
        read.append(replace(made))
        return made

    planner = BudgetPlanner(situation, POLICY, lambda: now)
    assert planner.what_if({}).per_day == planner.what_if({}).per_day == 1_000
    now = 61.0
    assert planner.what_if({}).per_day == pytest.approx(2_000)
    assert len(read) == 2
