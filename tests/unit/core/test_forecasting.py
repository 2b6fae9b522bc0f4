"""What a budget would buy, with the program's own rules."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.forecasting import what_if
from daemon.core.policy import Policy
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from models.arrays import F8, Mask
from models.bundle import Bundle
from models.cost import risk

CROWD = TierSettings(price=0.05, accuracy=0.8)
EXPERT = TierSettings(price=0.6, final=True, accuracy=0.98)
POLICY = Policy(
    classes=("ham", "spam"),
    tiers={"crowd": CROWD, "expert": EXPERT},
    guarantee=GuaranteeSettings(),
    routing=RoutingSettings(ask_below=0.9),
)
BUNDLE = Bundle.from_priors(POLICY.classes, {"crowd": 0.8, "expert": 0.98})


def sample(n: int = 300) -> F8:
    spam = np.random.default_rng(3).beta(0.5, 0.5, n)
    return np.stack([1 - spam, spam], axis=1)


def sure(posterior: F8) -> Mask:
    return np.asarray(posterior.max(axis=1) >= 0.9)


def test_without_money_nobody_is_asked() -> None:
    posterior = sample()
    result = what_if(posterior, BUNDLE, POLICY, 0.0, sure)
    assert result.cost == 0
    assert result.accuracy == pytest.approx(1 - risk(posterior).mean())
    assert result.certified == pytest.approx(sure(posterior).mean())


def test_money_buys_accuracy_and_is_not_overdrawn() -> None:
    results = [what_if(sample(), BUNDLE, POLICY, money, sure, draws=2) for money in (0.0, 0.02, 0.08)]
    accuracies = [one.accuracy for one in results]
    assert accuracies == sorted(accuracies)
    assert accuracies[2] > accuracies[0] + 0.02
    assert [one.cost <= money + 1e-9 for one, money in zip(results, (0.0, 0.02, 0.08), strict=True)] == [
        True
    ] * 3


def test_a_tier_spends_no_more_than_its_own_budget() -> None:
    limits = {"crowd": 0.02, "expert": 0.0}
    result = what_if(sample(), BUNDLE, POLICY, None, sure, draws=2, tier_budgets=limits)
    assert result.votes["expert"] == 0
    assert 0 < result.votes["crowd"] * CROWD.price <= 0.02 + 1e-9
    unlimited = what_if(sample(), BUNDLE, POLICY, None, sure, draws=2, tier_budgets={"crowd": 0.0})
    assert unlimited.votes["crowd"] == 0
    assert unlimited.votes["expert"] > 0


def test_only_doubtful_items_are_asked_however_much_money_there_is() -> None:
    posterior = sample()
    doubtful = 1 - sure(posterior).mean()
    for money in (None, 1_000.0):
        result = what_if(posterior, BUNDLE, POLICY, money, sure)
        assert result.people == pytest.approx(doubtful)
        assert result.accuracy > 0.94
    assert sum(what_if(posterior[sure(posterior)], BUNDLE, POLICY, None, sure).votes.values()) == 0


def test_every_item_gets_its_cheap_first_vote() -> None:
    llm = TierSettings(price=0.001, accuracy=0.7, max_votes=1, first=True)
    policy = replace(POLICY, tiers={"llm": llm, **POLICY.tiers})
    bundle = Bundle.from_priors(policy.classes, {"llm": 0.7, "crowd": 0.8, "expert": 0.98})
    result = what_if(sample(), bundle, policy, None, sure)
    assert result.votes["llm"] == 1
    assert result.people < 1


def test_where_errors_are_dear_more_items_are_asked_about() -> None:
    dear = replace(POLICY, routing=replace(POLICY.routing, costs={"spam": {"ham": 20.0}}))
    careful, plain = (what_if(sample(), BUNDLE, policy, None, sure) for policy in (dear, POLICY))
    assert careful.people > plain.people
