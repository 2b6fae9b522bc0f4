"""What if there were so much money: the program's own routing, played through on a sample of items."""

from collections.abc import Callable, Mapping

import numpy as np

from daemon.core.askers import askers_of
from daemon.core.decide import label_scores
from daemon.core.policy import Policy
from daemon.core.routing import Candidates, Purse, route
from models.arrays import F8, I8, Mask
from models.bundles import AnyBundle
from models.forecast import Choose, Forecast, forecast


def what_if(
    posterior: F8,
    bundle: AnyBundle,
    policy: Policy,
    budget_per_item: float | None,
    passes: Callable[[F8], Mask],
    seed: int = 0,
    draws: int = 1,
    tier_budgets: Mapping[str, float] | None = None,
) -> Forecast:
    """Accuracy, certified share and cost to expect of a budget.

    Args:
        posterior: (n, F * K) of a sample of items as the votes at hand make it, answers of people left out.
        bundle: whose tables say what answers are worth.
        policy: tiers, prices, `ask_below` and costs.
        budget_per_item: for all tiers together, in the currency of the prices; None: no limit, everything
            doubtful is settled.
        passes: (n, F * K) posteriors to (n,) whether a window would certify the label.
        seed, draws: as `forecast` takes them.
        tier_budgets: the same for single tiers, by name; absent ones have no limit of their own.
    """
    money = None if budget_per_item is None else budget_per_item * len(posterior)
    choose = _chooser(bundle, policy, tier_budgets or {})
    facets = [askers_of(part, policy) for part in bundle.parts]
    return forecast(posterior, facets, choose, money, passes, policy.cost, seed, draws)


def _chooser(bundle: AnyBundle, policy: Policy, budgets: Mapping[str, float]) -> Choose:
    """The router as `decide` uses it: doubtful items, and all that lack a cheap first vote."""
    facets = [askers_of(part, policy) for part in bundle.parts]
    tiers = facets[0]
    final = np.array([tier.final for tier in tiers], np.bool_)
    first = np.array([tier.first for tier in tiers], np.bool_)

    def choose(posterior: F8, answered: I8, money: float | None) -> I8:
        _, scores = label_scores(posterior, bundle.scores(posterior), policy.cost, len(facets))
        doubtful = scores < policy.routing.ask_below
        lacks_first = (answered[:, first] == 0).any(axis=1)
        may_ask = (doubtful | lacks_first) & ~answered[:, final].any(axis=1)
        items = Candidates(posterior, answered, np.zeros_like(answered), may_ask, doubtful)
        spent = answered.sum(axis=0)
        left = [
            budgets[tier.name] * len(posterior) - tier.price * float(count) if tier.name in budgets else None
            for tier, count in zip(tiers, spent, strict=True)
        ]
        purse = Purse(tuple(None if one is None else max(one, 0.0) for one in left), money)
        return route(items, tiers, purse, policy.cost, facets).ask

    return choose
