"""How another budget is written on the command line."""

import pytest

from daemon.core.errors import SetupProblem
from daemon.core.planning import Budgets
from daemon.core.policy import Policy
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.wiring.plan import parse_budget

TIERS = {"crowd": TierSettings(), "expert": TierSettings(final=True)}
POLICY = Policy(("a", "b"), TIERS, GuaranteeSettings(), RoutingSettings())


@pytest.mark.parametrize(
    ("text", "budgets"),
    [
        ("budget=25", Budgets(total=25.0)),
        ("budget=0", Budgets(total=0.0)),
        ("budget=expert:50,crowd:10.5", Budgets(tiers=(("expert", 50.0), ("crowd", 10.5)))),
        (" budget = expert: 5 ", Budgets(tiers=(("expert", 5.0),))),
    ],
)
def test_a_budget_is_read(text: str, budgets: Budgets) -> None:
    assert parse_budget(text, POLICY) == budgets


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("25", "write budget=25"),
        ("budget=", "write budget=25"),
        ("price=3", "write budget=25"),
        ("budget=much", "'much' is no amount"),
        ("budget=-1", "'-1' is no amount"),
        ("budget=nan", "'nan' is no amount"),
        ("budget=expert:", "'' is no amount"),
        ("budget=experts:5", "there is no tier 'experts'; there are crowd, expert"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str) -> None:
    with pytest.raises(SetupProblem, match="--what-if") as refused:
        parse_budget(text, POLICY)
    assert said in str(refused.value)
