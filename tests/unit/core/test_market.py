"""Whom the router may ask as time and bundles go by."""

from collections.abc import Mapping
from dataclasses import replace

from daemon.core.market import LOOK_SECONDS, MarketWatch
from daemon.core.policy import Policy
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from models.bundle import Bundle

POLICY = Policy(
    classes=("ham", "spam"),
    tiers={"crowd": TierSettings(price=0.05), "expert": TierSettings(price=0.6, final=True)},
    guarantee=GuaranteeSettings(),
    routing=RoutingSettings(),
)
BUNDLE = Bundle.from_priors(POLICY.classes, {"crowd": 0.8, "expert": 0.98})


def test_askers_are_kept_while_the_bundle_is_the_same() -> None:
    watch = MarketWatch(POLICY, lambda prices: frozenset())
    once = watch.under(BUNDLE)
    assert watch.under(BUNDLE).askers is once.askers
    other = Bundle.from_priors(POLICY.classes, {"crowd": 0.9, "expert": 0.98})
    better = watch.under(other).askers[0].likelihood
    assert better[0, 0] > once.askers[0].likelihood[0, 0]
    assert (
        watch.under(replace(other, label_model="same tables")).askers[0].likelihood.tolist()
        == better.tolist()
    )


def test_money_is_looked_up_once_a_second() -> None:
    seconds = [0.0]
    looks: list[Mapping[str, int]] = []

    def spent(prices: Mapping[str, int]) -> frozenset[str]:
        looks.append(prices)
        return frozenset({"crowd"} if len(looks) > 1 else ())

    watch = MarketWatch(POLICY, spent, lambda: seconds[0])
    assert watch.under(BUNDLE).spent == frozenset()
    seconds[0] = LOOK_SECONDS / 2
    assert watch.under(BUNDLE).spent == frozenset()
    seconds[0] = LOOK_SECONDS
    assert watch.under(BUNDLE).spent == {"crowd"}
    assert looks == [{"crowd": 50_000, "expert": 600_000}] * 2
