"""Ways to spend money on answers: the router, and what it has to beat.

All of them begin with one vote of the LLM on every item, look at the same posterior, and see the same
answers; only what they buy differs.
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.routing_play import CROWD, EXPERT, LLM, PRICES, Play, Policy
from daemon.core.routing import Candidates, Purse, route
from models.arrays import F8, I8, Mask
from models.forecast import forecast
from models.value import Asker

ALL = 1e9
ROUND = 1e-9
"""A rounding error must not keep the last vote from being bought."""


def ours(play: Play, money: float) -> None:
    """The router, again and again while answers come back."""
    while (ask := _next(play.posterior, play.answered, play.askers(), money - play.spent)).any():
        for tier in range(ask.shape[1]):
            play.buy(np.flatnonzero(ask[:, tier]), tier)


def expected(play: Play, budget: float) -> float:
    """Accuracy that is forecast of a budget, USD an item, when the LLM has voted."""
    if not play.answered[:, LLM].any():
        _llm_first(play, ALL)
    askers = play.askers()

    def choose(posterior: F8, answered: I8, money: float | None) -> I8:
        return _next(posterior, answered, askers[LLM + 1 :], money or 0.0)

    money = (budget - PRICES[LLM]) * len(play)
    return forecast(play.posterior, (askers[LLM + 1 :],), choose, money, _none_pass, draws=2).accuracy


def _next(posterior: F8, answered: I8, askers: Sequence[Asker], money: float) -> I8:
    told = answered[:, [asker.final for asker in askers]].any(axis=1)
    items = Candidates(posterior, answered, np.zeros_like(answered), ~told, np.ones(len(told), np.bool_))
    return route(items, askers, Purse((None,) * len(askers), money)).ask


def _none_pass(posterior: F8) -> Mask:
    return np.zeros(len(posterior), np.bool_)


def uncertain_to_expert(play: Play, money: float) -> None:
    """Uncertainty sampling: the least certain items first."""
    _llm_first(play, money)
    _buy_in_order(play, money, np.argsort(play.posterior.max(axis=1), kind="stable"), EXPERT, 1)


def uncertain_to_crowd(play: Play, money: float) -> None:
    """The least certain items get three votes of the crowd."""
    _llm_first(play, money)
    _buy_in_order(play, money, np.argsort(play.posterior.max(axis=1), kind="stable"), CROWD, 3)


def fixed(threshold: float) -> Policy:
    """Items below the threshold get three votes of the crowd, as they come."""

    def policy(play: Play, money: float) -> None:
        _llm_first(play, money)
        _buy_in_order(play, money, np.flatnonzero(play.posterior.max(axis=1) < threshold), CROWD, 3)

    return policy


def everything(tier: int, votes: int) -> Policy:
    """The tier is asked about every item, whatever it costs."""

    def policy(play: Play, _money: float) -> None:
        _llm_first(play, ALL)
        if tier != LLM:
            play.buy(np.flatnonzero(play.can_ask(tier, votes)), tier, votes)

    return policy


PEERS: dict[str, Policy] = {
    "uncertain>expert": uncertain_to_expert,
    "uncertain>3crowd": uncertain_to_crowd,
    "<.80>3crowd": fixed(0.80),
    "<.95>3crowd": fixed(0.95),
}
WHOLE: dict[str, Policy] = {
    "all llm": everything(LLM, 1),
    "all crowd x3": everything(CROWD, 3),
    "all expert": everything(EXPERT, 1),
}


def _llm_first(play: Play, money: float) -> None:
    if play.answered[:, LLM].any():
        return
    play.buy(np.arange(min(len(play), _votes(play, money, LLM))), LLM)
    play.refit()


def _buy_in_order(play: Play, money: float, order: I8, tier: int, votes: int) -> None:
    fresh = (play.answered[:, tier] == 0) & play.can_ask(tier, votes)
    rows = order[fresh[order]][: _votes(play, money, tier) // votes]
    play.buy(rows, tier, votes)


def _votes(play: Play, money: float, tier: int) -> int:
    """That the money left pays for."""
    return max(0, int((money - play.spent) / PRICES[tier] + ROUND))
