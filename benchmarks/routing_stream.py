"""A day's money over items that arrive in batches: questions wait in one queue, highest worth first, and
answers come back later.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.routing_play import CROWD, EXPERT, LLM, PRICES, Play, begin
from benchmarks.routing_worlds import World
from daemon.core.routing import Candidates, Purse, route
from models.arrays import F8, I8, Mask

BATCHES = 12
CROWD_LATER, EXPERT_LATER = 1, 2
"""Batches until an answer is there."""

REFITS = 4

Rank = Callable[[Play, Mask], tuple[I8, I8, F8]]
"""Items that nobody is asked about (n,) to tier, votes and worth (n,) of what to ask next; worth 0: none."""


def by_router(play: Play, free: Mask) -> tuple[I8, I8, F8]:
    """As `run` asks: the next vote of each item, whatever money there is; the queue decides."""
    items = Candidates(play.posterior, play.answered, np.zeros_like(play.answered), free, free)
    routed = route(items, play.askers(), Purse((None,) * PRICES.size))
    return routed.ask.argmax(axis=1), np.ones(len(play), np.int64), routed.worth


def by_doubt(tier: int, votes: int) -> Rank:
    """The least certain items first, of one tier, once."""

    def rank(play: Play, free: Mask) -> tuple[I8, I8, F8]:
        doubt = np.where(
            free & play.can_ask(tier, votes) & (play.answered[:, tier] == 0),
            1 - play.posterior.max(axis=1),
            0.0,
        )
        return np.full(len(play), tier), np.full(len(play), votes), doubt

    return rank


def as_they_come(threshold: float) -> Rank:
    """Items below the threshold, first come first served, three votes of the crowd."""

    def rank(play: Play, free: Mask) -> tuple[I8, I8, F8]:
        doubtful = (
            free
            & play.can_ask(CROWD, 3)
            & (play.answered[:, CROWD] == 0)
            & (play.posterior.max(axis=1) < threshold)
        )
        turn = np.linspace(1.0, 0.5, len(play))
        return np.full(len(play), CROWD), np.full(len(play), 3), np.where(doubtful, turn, 0.0)

    return rank


RANKS: dict[str, Rank] = {
    "ours": by_router,
    "uncertain>expert": by_doubt(EXPERT, 1),
    "<.95>3crowd": as_they_come(0.95),
}


def day(
    world: World, rank: Rank, budget: float, label_model: str, seed: int, gold: int = 0
) -> tuple[float, float]:
    """Accuracy and USD an item at the end of a day with this budget, USD an item."""
    play = begin(world, label_model, seed, gold)
    n = len(play)
    open_until = np.zeros(n, np.int64)
    asked = np.zeros((n, len(PRICES)), np.int64)
    for tick in range(1, 2 * BATCHES + 1):
        arrived = np.arange(n) < n * tick / BATCHES
        _answers_come(play, asked, open_until <= tick)
        play.buy(np.flatnonzero(arrived & (play.answered[:, LLM] == 0)), LLM)
        if tick <= BATCHES and tick % (BATCHES // REFITS) == 0:
            play.refit()
        free = arrived & ~asked.any(axis=1) & (play.answered[:, EXPERT] == 0)
        allowance = budget * arrived.sum() - play.spent - float((asked @ PRICES).sum())
        _lease(rank(play, free), allowance, asked, open_until, tick)
    _answers_come(play, asked, np.ones(n, np.bool_))
    play.refit()
    return play.accuracy(), play.spent / n


def _lease(ranked: tuple[I8, I8, F8], allowance: float, asked: I8, open_until: I8, tick: int) -> None:
    """People take the questions of the highest worth, while the money that is let go by now pays them."""
    tier, votes, worth = ranked
    order = np.argsort(-worth, kind="stable")
    order = order[worth[order] > 0]
    affordable = np.cumsum(PRICES[tier[order]] * votes[order]) <= allowance + 1e-9
    rows = order[np.logical_and.accumulate(affordable)]
    asked[rows, tier[rows]] = votes[rows]
    open_until[rows] = tick + np.where(tier[rows] == EXPERT, EXPERT_LATER, CROWD_LATER)


def _answers_come(play: Play, asked: I8, due: Mask) -> None:
    for tier in range(asked.shape[1]):
        for votes in range(1, int(asked[:, tier].max(initial=0)) + 1):
            rows = np.flatnonzero(due & (asked[:, tier] == votes))
            if len(rows):
                play.buy(rows, tier, votes)
    asked[due] = 0
