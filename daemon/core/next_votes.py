"""The next question about each doubtful item, and how urgent it is. The question queue is the router's heap:
the priority of a question is what its answer is worth per price, and reviewers lease the highest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daemon.core.evidence import Evidence
from daemon.core.market import Market
from daemon.core.policy import GOLD_PRIORITY, Policy
from daemon.core.routing import NOBODY, Candidates, Purse, Routed, route
from daemon.core.rows import Ask, Reprice
from daemon.core.states import Purpose
from models.arrays import F8, I8, Mask
from models.value import Asker

MOVED = 0.2
"""A question whose worth moved by less than this share keeps its place in the queue."""

RAISED = 1.0
"""Worth, at least, of an answer that people ask for: what takes away one error for the price of one unit."""

NEARLY = 1 - 1e-9
"""Keeps what is settled below the gold draws, whatever it is worth."""


@dataclass(frozen=True, slots=True, eq=False)
class NextVotes:
    """What is asked about n items.

    Attributes:
        asked: (n,) whether a question is asked now, or the open one stands.
        replaced: (n,) whether the open questions are withdrawn, since another tier is worth more by now.
        asks: new questions. reprices: open questions that move in their queue.
    """

    asked: Mask
    replaced: Mask
    asks: list[Ask]
    reprices: list[Reprice]


def next_votes(
    evidence: Evidence, may_ask: Mask, doubtful: Mask, market: Market, policy: Policy
) -> NextVotes:
    """Route the items that nobody is asked about yet, and those whose questions only wait in a queue.

    Args:
        evidence: columns of n items.
        may_ask: (n,) what is to be routed. doubtful: (n,) what must be settled by asking.
        market: whom to ask. policy: prices, and what errors cost.
    """
    n = len(evidence)
    queued = evidence.queued >= 0
    unasked = ~evidence.wanted.any(axis=1)
    if evidence.follows is not None:
        unasked &= ~evidence.follows
    rows = may_ask & (queued | unasked)
    nothing = np.zeros(n, np.bool_)
    if not rows.any():
        return NextVotes(nothing, nothing, [], [])
    routed = _route(evidence, rows, doubtful, market, policy.cost)
    tier = np.where(routed.ask.any(axis=1), routed.ask.argmax(axis=1), NOBODY)
    if evidence.raised is not None:
        raised = rows & (evidence.raised > tier)
        tier = np.where(raised, evidence.raised, tier)
        routed = replace(routed, worth=np.where(raised, np.maximum(routed.worth, RAISED), routed.worth))
    stands = queued & (tier == evidence.queued)
    moved = stands & _has_moved(routed.worth, worth_of(evidence.priority))
    priority = priority_of(routed.worth)
    asking, ladder = np.flatnonzero((tier != NOBODY) & ~stands), policy.ladder
    return NextVotes(
        asked=tier != NOBODY,
        replaced=queued & (tier != NOBODY) & ~stands,
        asks=[
            ask
            for row in asking.tolist()
            for ask in _asks(row, int(tier[row]), ladder, float(priority[row]), evidence, policy)
        ],
        reprices=[Reprice(row, float(priority[row])) for row in np.flatnonzero(moved).tolist()],
    )


def priority_of(worth: F8) -> F8:
    """Worth (0 to infinity) to a place in the queue, rising with it and below that of gold draws."""
    share = 1 - 1 / (1 + np.maximum(worth, 0.0))
    return np.asarray(GOLD_PRIORITY * np.minimum(share, NEARLY))


def worth_of(priority: NDArray[np.float64]) -> F8:
    """The worth that a priority was made of; `priority_of` backwards."""
    share = np.clip(priority / GOLD_PRIORITY, 0.0, NEARLY)
    return np.asarray(share / (1 - share))


def _has_moved(worth: F8, before: F8) -> Mask:
    worth = np.minimum(worth, worth_of(np.full(1, GOLD_PRIORITY)))
    return np.asarray(np.abs(worth - before) > MOVED * np.maximum(worth, before))


def _route(evidence: Evidence, rows: Mask, doubtful: Mask, market: Market, cost: F8 | None) -> Routed:
    """Tiers without money are left out where another tier is worth anything; elsewhere the item waits for
    the next day's money.
    """
    items = Candidates(
        posterior=evidence.posterior.astype(np.float64),
        answered=evidence.answered,
        wanted=np.zeros_like(evidence.answered),
        may_ask=rows,
        doubtful=doubtful,
    )
    money = tuple(0.0 if asker.name in market.spent else None for asker in market.askers)
    routed = route(items, market.askers, Purse(money), cost, market.facets)
    stuck = rows & doubtful & (routed.worth <= 0)
    if not market.spent or not stuck.any():
        return routed
    waiting = replace(items, may_ask=stuck)
    later = route(waiting, market.askers, Purse((None,) * len(money)), cost, market.facets)
    return replace(
        routed,
        ask=np.where(stuck[:, None], later.ask, routed.ask),
        worth=np.where(stuck, later.worth, routed.worth),
    )


def _asks(
    row: int, tier: int, ladder: Sequence[str], priority: float, evidence: Evidence, policy: Policy
) -> list[Ask]:
    name = ladder[tier]
    settings = policy.tiers[name]
    several = evidence.lot is None or evidence.lot[row] < settings.overlap_share
    count = settings.asked_at_once if several and not evidence.answered[row, tier] else 1
    purpose = Purpose.ADJUDICATE if evidence.people[row] else Purpose.SETTLE
    return [Ask(row, name, purpose, priority, settings.question_micros)] * count


def answered_first(answered: I8, askers: Sequence[Asker]) -> Mask:
    """(n,) whether every tier that votes first has done so."""
    first = np.array([asker.first for asker in askers], np.bool_)
    return np.asarray((answered[:, first] > 0).all(axis=1))
