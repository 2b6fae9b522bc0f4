"""Whom to ask next about each item of a batch, for the money at hand; pure, the same for new items, answers
coming back and re-passes.

Each item may be asked about in several ways (`core.menu`): votes of a tier, as many as the first ones call
for, and a final answer where they leave doubt (`models.look_ahead`). The router goes from way to way of each
item, each time taking the step that is worth most per price over all items, until the money of the batch is
used up: the greedy solution of a knapsack of which each item offers several choices (P. Sinha, A. Zoltners:
The multiple-choice knapsack problem, 1979). Answers come later, and the plan is not carried out as it stands:
of each item's plan only the first vote is asked. What the rest is expected to cost stays in the purse. When
the answer is in, the item passes the router again and is planned anew, so that nobody is asked a third time
where two agreed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.core.menu import Menu, menu_of
from daemon.core.set_menu import menu_of_sets
from models.arrays import F8, I8, Mask
from models.value import FREE, Asker

WORTHLESS = 1e-9
"""Worth below this is rounding."""

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Items that may be asked about: n items, K classes, T tiers.

    Attributes:
        posterior: (n, K), rows sum to 1; of F facets (n, F * K), side by side.
        answered: (n, T) answers of each tier. wanted: (n, T) questions that are open.
        may_ask: (n,) whether anything may be asked; items with an open question wait for it in any case.
        doubtful: (n,) whether it must be settled by asking, where there is no budget that would say so.
    """

    posterior: F8
    answered: I8
    wanted: I8
    may_ask: Mask
    doubtful: Mask


@dataclass(frozen=True, slots=True)
class Purse:
    """Money for this batch, in the currency of the prices; None for no limit.

    Attributes:
        tiers: of each tier. total: of all tiers together.
    """

    tiers: tuple[float | None, ...]
    total: float | None = None

    @property
    def limited(self) -> Mask:
        """(T,) whether money, and not doubt, says how much a tier is asked."""
        return np.array([self.total is not None or money is not None for money in self.tiers], np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Routed:
    """What to ask.

    Attributes:
        ask: (n, T) votes to ask for now: at most one an item.
        plan: (n, T) votes that the item is expected to take, those to ask for now included.
        worth: (n,) risk taken away per price by the best way to ask; inf for a cheap first vote, 0 without.
        cost: of the votes to ask for now. reserve: of the rest of the plans.
    """

    ask: I8
    plan: F8
    worth: F8
    cost: float
    reserve: float


def route(
    items: Candidates,
    tiers: Sequence[Asker],
    purse: Purse,
    cost: F8 | None = None,
    facets: Sequence[Sequence[Asker]] = (),
) -> Routed:
    """Plan with the whole purse, and ask for each plan's first vote.

    A tier with a limit is asked wherever it is worth most; when its money is gone, its items are left to the
    other tiers. One without is asked about doubtful items only, and about all of these: where no vote is
    worth anything, the last tier that may still be asked.

    Args:
        items: n of them.
        tiers: T, cheap first.
        purse: money at hand.
        cost: (K, K) cost of errors, or None for 0/1.
        facets: where an answer tells of several facets at once, the tiers as they are in each; their prices
            and numbers of votes are those of `tiers`.
    """
    rows = np.flatnonzero(items.may_ask & ~items.wanted.any(axis=1))
    answered, doubtful = items.answered[rows], items.doubtful[rows]
    money = _Money(purse, np.array([tier.price for tier in tiers], np.float64))
    plans = _Plans.none(len(rows), len(tiers))
    _first_votes(plans, answered, tiers, money)
    posterior = items.posterior[rows].astype(np.float64)
    if len(facets) > 1:
        menu = menu_of_sets(posterior, answered, facets, cost)
    else:
        menu = menu_of(posterior, answered, tiers, cost)
    limited = menu.within(purse.limited)
    may = menu.may & (doubtful[:, None] | limited)
    while True:
        steps = _steps(menu, plans, may & menu.within(money.open), limited)
        if not _take(steps, menu, plans, money):
            break
    _settle(plans, doubtful, answered, tiers, money.open & ~purse.limited)
    return _routed(items, rows, plans, money.price)


@dataclass(slots=True, eq=False)
class _Plans:
    """Plans of c items.

    Attributes:
        votes: (c, T) expected. price: (c,) of them. gain: (c,) expected.
        first: (c,) tier of the first vote, NOBODY without. worth: (c,) of it.
        done: (c,) nothing is added to the plan any more.
    """

    votes: F8
    price: F8
    gain: F8
    first: I8
    worth: F8
    done: Mask

    @classmethod
    def none(cls, n: int, n_tiers: int) -> "_Plans":
        """Nothing planned yet."""
        return cls(
            votes=np.zeros((n, n_tiers)),
            price=np.zeros(n),
            gain=np.zeros(n),
            first=np.full(n, NOBODY),
            worth=np.zeros(n),
            done=np.zeros(n, np.bool_),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """From one plan to a better one, worth falling: items (e,), ways of the menu (e,), worth (e,), and the
    votes (e, T) that are added.
    """

    item: I8
    way: I8
    worth: F8
    more: F8


class _Money:
    """What is left of the purse.

    Attributes:
        price: (T,). open: (T,) tiers that can be paid.
    """

    def __init__(self, purse: Purse, price: F8) -> None:
        self.price = price
        limits = [*purse.tiers, purse.total]
        self._left = np.array([np.inf if limit is None else limit for limit in limits], np.float64) + FREE
        self.open: Mask = np.asarray(self._left[:-1] >= np.maximum(price, FREE))

    def votes_left(self) -> F8:
        """(T,) votes of each tier that could be paid if nothing else were."""
        left = np.minimum(self._left[:-1], self._left[-1])
        return np.asarray(np.floor(left / np.maximum(self.price, FREE)))

    def payable(self, votes: F8) -> tuple[int, int | None]:
        """How many of these changes in votes (e, T) can be paid in order, and whose money stops the next one:
        a tier's, or NOBODY's own but that of all together; None: nothing does.
        """
        spent = votes * self.price
        spent = np.concatenate([spent, spent.sum(axis=1, keepdims=True)], axis=1)
        short = np.cumsum(spent, axis=0) > self._left
        if not short.any():
            return len(votes), None
        paid = int(short.any(axis=1).argmax())
        return paid, NOBODY if short[paid, -1] else int(short[paid].argmax())

    def pay(self, votes: F8) -> None:
        """(T,) votes of each tier."""
        spent = votes * self.price
        self._left -= np.append(spent, spent.sum())


def _first_votes(plans: _Plans, answered: I8, tiers: Sequence[Asker], money: _Money) -> None:
    """Items that lack a cheap first vote get it before anything else is weighed, as far as money goes."""
    for index, tier in enumerate(tiers):
        lacking = np.flatnonzero((answered[:, index] == 0) & ~plans.done)
        if not (tier.first and money.open[index] and len(lacking)):
            continue
        rows = lacking[: int(min(money.votes_left()[index], len(lacking)))]
        plans.done[lacking] = True
        plans.first[rows], plans.worth[rows], plans.votes[rows, index] = index, np.inf, 1.0
        money.pay(plans.votes[rows].sum(axis=0))


def _steps(menu: Menu, plans: _Plans, may: Mask, limited: Mask) -> _Steps:
    """The steps that each item would take if there were money for all, best first: from the plan at hand to
    the way that takes most risk away for what it costs more, and so on.

    Where no money limits a way (J,) only the first step is taken: what is asked then is worth most per price.
    """
    rows = np.flatnonzero(~plans.done)
    votes, price, gain = plans.votes[rows], plans.price[rows], plans.gain[rows]
    planned = plans.first[rows] != NOBODY
    found = []
    while len(rows) and len(menu.first):
        more = menu.price[rows] - price[:, None]
        good = may[rows] & (more > 0) & (limited | ~planned[:, None])
        slope = np.where(good, (menu.gain[rows] - gain[:, None]) / np.where(good, more, 1.0), 0.0)
        slope[slope < WORTHLESS] = 0.0
        way = slope.argmax(axis=1)
        worth = slope[np.arange(len(rows)), way]
        going = worth > 0
        rows, way, votes = rows[going], way[going], votes[going]
        found.append((rows, way, worth[going], menu.votes[rows, way] - votes))
        votes, price, gain = menu.votes[rows, way], menu.price[rows, way], menu.gain[rows, way]
        planned = np.ones(len(rows), np.bool_)
    return _falling(found, votes.shape[1])


def _falling(found: Sequence[tuple[I8, I8, F8, F8]], n_tiers: int) -> _Steps:
    """All steps in one row; those of one item stay in their order, for each is worth less than the last."""
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty((0, n_tiers)))
    item, way, worth, more = (np.concatenate(column) for column in zip(none, *found, strict=True))
    order = np.argsort(-worth, kind="stable")
    return _Steps(item[order], way[order], worth[order], more[order])


def _take(steps: _Steps, menu: Menu, plans: _Plans, money: _Money) -> bool:
    """Take steps while they can be paid; whether it is worth looking again, one tier being out of money.

    When it is the money of all together that runs out, the rest is saved: whatever is worth less is not
    bought instead, or a dear vote would never be paid from small purses.
    """
    paid, stop = money.payable(steps.more)
    item, way = steps.item[:paid], steps.way[:paid]
    new = plans.first[item] == NOBODY
    # an item's first step tells what its vote is worth, its last one what is planned
    plans.worth[item[new][::-1]] = steps.worth[:paid][new][::-1]
    plans.first[item] = menu.first[way]
    plans.votes[item], plans.price[item] = menu.votes[item, way], menu.price[item, way]
    plans.gain[item] = menu.gain[item, way]
    money.pay(steps.more[:paid].sum(axis=0))
    if stop is None:
        return False
    _begin(steps, paid, int(menu.first[steps.way[paid]]), plans, money)
    closed = money.open.copy() if stop == NOBODY else np.arange(len(money.open)) == stop
    money.open &= ~closed
    return bool(money.open.any())


def _begin(steps: _Steps, step: int, tier: int, plans: _Plans, money: _Money) -> None:
    """The step that cannot be paid as a whole is begun, if there is enough for its first votes."""
    item = steps.item[step]
    votes = np.floor(min(money.votes_left()[tier], steps.more[step, tier]))
    if votes < 1 or plans.first[item] not in (NOBODY, tier):
        return
    if plans.first[item] == NOBODY:
        plans.first[item], plans.worth[item] = tier, steps.worth[step]
    added = np.where(np.arange(len(money.open)) == tier, votes, 0.0)
    plans.votes[item] += added
    plans.done[item] = True
    money.pay(added)


def _settle(plans: _Plans, doubtful: Mask, answered: I8, tiers: Sequence[Asker], free: Mask) -> None:
    """Doubtful items that nothing is worth asking about go to the last tier without a limit."""
    room = np.array([tier.max_votes for tier in tiers], np.int64) - answered
    possible = doubtful[:, None] & (room > 0) & free & (plans.first == NOBODY)[:, None]
    rows = np.flatnonzero(possible.any(axis=1))
    last = possible.shape[1] - 1 - possible[rows, ::-1].argmax(axis=1)
    plans.first[rows] = last
    plans.votes[rows, last] = 1.0


def _routed(items: Candidates, rows: I8, plans: _Plans, price: F8) -> Routed:
    ask = np.zeros(items.answered.shape, np.int64)
    asked = np.flatnonzero(plans.first != NOBODY)
    ask[rows[asked], plans.first[asked]] = 1
    plan = np.zeros(ask.shape)
    plan[rows] = plans.votes
    worth = np.zeros(len(ask))
    worth[rows] = plans.worth
    cost = float((ask @ price).sum())
    return Routed(ask, plan, worth, cost, float((plan @ price).sum()) - cost)
