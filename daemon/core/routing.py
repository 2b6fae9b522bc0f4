"""Whom to ask next about each item of a batch, for the money at hand; pure, the same for new items, answers
coming back and re-passes.

The router buys votes one by one, each time the one that is worth most per price (`models.value`), until the
money of the batch is used up. Answers come later, so a vote that is planned only lowers the risk that is
expected to be left, and the plan is not carried out as it stands: of each item's plan only the first vote is
asked now. What the rest would cost stays in the purse, and when the answer is in, the item passes the router
again and is planned anew. So nobody is asked a third time where two agreed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask
from models.cost import risk
from models.value import FREE, Asker, horizon, risk_curve

WORTHLESS = 1e-9
"""Worth below this is rounding."""

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Items that may be asked about: n items, K classes, T tiers.

    Attributes:
        posterior: (n, K), rows sum to 1.
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
        worth: (n,) risk taken away per price by the vote to ask for; inf for a cheap first vote, 0 without.
        cost: of the votes to ask for now. reserve: of the rest of the plans.
        rate: (T,) worth of the vote of each tier at which the money ran out; 0 where it was enough.
    """

    ask: I8
    plan: I8
    worth: F8
    cost: float
    reserve: float
    rate: F8


def route(
    items: Candidates,
    tiers: Sequence[Asker],
    purse: Purse,
    cost: F8 | None = None,
    rate: F8 | None = None,
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
        rate: (T,) votes that are worth less are not bought, however much money there is. In a batch of a few
            items even the best vote may be a poor one: the `rate` at which some hundred recent items would
            use up their money tells, and the money waits for better ones.
    """
    rows = np.flatnonzero(items.may_ask & ~items.wanted.any(axis=1))
    outlook = _Outlook(items, rows, tiers, purse, cost, rate)
    state = outlook.start()
    money = _Money(purse, outlook.price)
    while outlook.open.any():
        closed, worth = _buy(outlook.next_votes(state), state, money)
        if closed is None:
            state.rate[outlook.open] = worth
            break
        state.rate[closed] = worth
        outlook.open[closed] = False
    outlook.settle(state)
    return _routed(items, rows, state, np.array([tier.price for tier in tiers]))


@dataclass(slots=True, eq=False)
class _State:
    """Plans of c items: expected risk left (c,), planned votes (c, T), first vote's tier and worth (c,).

    And of each tier the worth at which its money ran out (T,).
    """

    left: F8
    count: I8
    first: I8
    worth: F8
    rate: F8


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """The votes that c items would take one after another, (c, h) each; NOBODY after the last."""

    tier: I8
    worth: F8
    left: F8


class _Money:
    """What is left of the purse."""

    def __init__(self, purse: Purse, price: F8) -> None:
        self._price = price
        limits = [*purse.tiers, purse.total]
        self._left = np.array([np.inf if limit is None else limit for limit in limits], np.float64) + FREE

    def pay(self, tier: I8) -> tuple[int, int | None]:
        """Pay votes of these tiers in order; how many, and the tier whose own money ran out, if that was it.

        When it is the money of all together that runs out, it is saved: whatever is worth less is not bought
        instead, or a dear vote would never be paid from small purses.
        """
        price = self._price[tier]
        mine = tier[:, None] == np.arange(len(self._price))
        spent = price[:, None] * np.concatenate([mine, np.ones((len(tier), 1), np.bool_)], axis=1)
        short = np.cumsum(spent, axis=0) > self._left
        paid = int(short.any(axis=1).argmax()) if short.any() else len(tier)
        self._left -= spent[:paid].sum(axis=0)
        closed = paid < len(tier) and not short[paid, -1]
        return paid, int(tier[paid]) if closed else None


class _Outlook:
    """What votes are expected to do to c items.

    Each tier's votes multiply the risk that is left by a ratio, known exactly for votes of one tier alone;
    votes of two tiers are taken not to disturb each other. The first vote of a plan, the one that is asked,
    is thus exact.

    Attributes:
        open: (T,) tiers that can be paid. price: (T,).
    """

    def __init__(
        self,
        items: Candidates,
        rows: I8,
        tiers: Sequence[Asker],
        purse: Purse,
        cost: F8 | None,
        rate: F8 | None,
    ) -> None:
        posterior = items.posterior[rows].astype(np.float64)
        answered = items.answered[rows]
        self.open = np.ones(len(tiers), np.bool_)
        self.price = np.array([max(tier.price, FREE) for tier in tiers], np.float64)
        self._risk = risk(posterior, cost)
        self._curves = [_curve(posterior, tier, cost) for tier in tiers]
        self._final = np.array([tier.final for tier in tiers], np.bool_)
        self._room = np.array([tier.max_votes for tier in tiers], np.int64) - answered
        self._first = np.array([tier.first for tier in tiers], np.bool_) & (answered == 0)
        self._doubtful: Mask = np.asarray(items.doubtful[rows, None] & ~purse.limited)
        self._allowed = self._doubtful | purse.limited
        self._least = np.where(purse.limited, 0.0 if rate is None else rate, 0.0)

    def start(self) -> _State:
        """Nothing planned yet."""
        n, n_tiers = self._room.shape
        return _State(
            left=self._risk.copy(),
            count=np.zeros((n, n_tiers), np.int64),
            first=np.full(n, NOBODY),
            worth=np.zeros(n),
            rate=np.zeros(n_tiers),
        )

    def next_votes(self, state: _State) -> _Votes:
        """The votes that each item would take from here if there were money for all."""
        left, count = state.left.copy(), state.count.copy()
        steps = []
        while True:
            worth = self._worth(left, count)
            tier = worth.argmax(axis=1)
            value = np.take_along_axis(worth, tier[:, None], axis=1)[:, 0]
            tier = np.where(value > WORTHLESS, tier, NOBODY)
            going = np.flatnonzero(tier != NOBODY)
            if not len(going):
                break
            for index in range(len(self.price)):
                chosen = tier == index
                left[chosen] = self._after(index, left, count)[chosen]
            count[going, tier[going]] += 1
            steps.append((tier, value, left.copy()))
        if not steps:
            steps = [(np.full(len(left), NOBODY), np.zeros(len(left)), left)]
        return _Votes(*(np.stack(column, axis=1) for column in zip(*steps, strict=True)))

    def settle(self, state: _State) -> None:
        """Doubtful items that nothing is worth asking about go to the last tier without a limit."""
        unasked = (state.first == NOBODY)[:, None]
        possible = np.asarray(self._doubtful & self.open & (self._room > 0) & unasked)
        rows = np.flatnonzero(possible.any(axis=1))
        last = possible.shape[1] - 1 - possible[rows, ::-1].argmax(axis=1)
        state.first[rows] = last
        state.count[rows, last] += 1

    def _worth(self, left: F8, count: I8) -> F8:
        """(c, T) best look-ahead per price of one more vote of each tier; 0 where it may not be asked."""
        worth = np.stack([self._ahead(tier, left, count) for tier in range(len(self.price))], axis=1)
        told = (count[:, self._final] > 0).any(axis=1, keepdims=True)
        may = np.asarray(self.open & (count < self._room) & ~told)
        worth = np.where(may & self._allowed & (worth >= self._least), worth, 0.0)
        return np.where(may & self._first & (count == 0), np.inf, worth)

    def _ahead(self, tier: int, left: F8, count: I8) -> F8:
        """(c,) risk taken away per price by the best number of votes of the tier from here."""
        if self._final[tier]:
            return np.asarray((left - self._after(tier, left, count)) / self.price[tier])
        curve, planned = self._curves[tier], count[:, tier]
        begun = _at(curve, planned)
        best = np.zeros(len(left))
        for votes in range(1, curve.shape[1]):
            fits = (planned + votes < curve.shape[1]) & (planned + votes <= self._room[:, tier])
            gone = left * (1 - _share(_at(curve, planned + votes), begun))
            best = np.maximum(best, np.where(fits, gone / (votes * self.price[tier]), 0))
        return best

    def _after(self, tier: int, left: F8, count: I8) -> F8:
        """(c,) risk expected to be left after one more vote of the tier."""
        curve, planned = self._curves[tier], count[:, tier]
        if self._final[tier]:
            return np.minimum(left, self._risk * curve[:, 1])
        return left * _share(_at(curve, planned + 1), _at(curve, planned))


def _buy(votes: _Votes, state: _State, money: _Money) -> tuple[int | None, float]:
    """Buy votes, best first, and write them down.

    Returns the tier that could not be paid, None when all is done; and the worth of the first vote that was
    not bought, 0 when there was none.

    A heap that pops the best vote, buys it and pushes the item's next one takes all votes in the order of
    the least worth met so far on their item: one sort does it.
    """
    falling = np.minimum.accumulate(votes.worth, axis=1)
    place = np.broadcast_to(np.arange(falling.shape[1]), falling.shape)
    order = np.lexsort((place.ravel(), -falling.ravel()))
    order = order[votes.tier.ravel()[order] != NOBODY]
    tier = votes.tier.ravel()[order]
    paid, closed = money.pay(tier)
    item = order[:paid] // falling.shape[1]
    np.add.at(state.count, (item, tier[:paid]), 1)
    bought = np.bincount(item, minlength=len(falling))
    some = np.flatnonzero(bought)
    state.left[some] = votes.left[some, bought[some] - 1]
    new = some[state.first[some] == NOBODY]
    state.first[new], state.worth[new] = votes.tier[new, 0], votes.worth[new, 0]
    return closed, float(falling.ravel()[order[paid]]) if paid < len(tier) else 0.0


def _routed(items: Candidates, rows: I8, state: _State, price: F8) -> Routed:
    ask = np.zeros(items.answered.shape, np.int64)
    asked = np.flatnonzero(state.first != NOBODY)
    ask[rows[asked], state.first[asked]] = 1
    plan = np.zeros_like(ask)
    plan[rows] = state.count
    worth = np.zeros(len(ask))
    worth[rows] = state.worth
    cost = float((ask @ price).sum())
    return Routed(ask, plan, worth, cost, float((plan @ price).sum()) - cost, state.rate)


def _curve(posterior: F8, tier: Asker, cost: F8 | None) -> F8:
    """(c, h + 1) share of the risk expected to be left after 0 to h votes of the tier."""
    ahead = 1 if tier.final else min(horizon(len(tier.likelihood)), tier.max_votes)
    curve = risk_curve(posterior, tier.likelihood, ahead, cost)
    return _share(curve, curve[:, :1])


def _at(curve: F8, votes: I8) -> F8:
    """(c,) of the curve after so many votes of each item; it ends flat."""
    place = np.minimum(votes, curve.shape[1] - 1)
    return np.asarray(np.take_along_axis(curve, place[:, None], axis=1)[:, 0])


def _share(part: F8, whole: F8) -> F8:
    """Part / whole; 1 where there is nothing to take from."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
