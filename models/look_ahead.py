r"""What it is worth to begin to ask, when each answer says whether and whom to ask next.

$$V_\lambda(o) = \min \Big\{ R(o), \;\; R_{final}(o) + \lambda\, price_{final}\, P(o), \;\;
    \lambda\, price\, P(o) + \sum_s V_\lambda(o + s) \Big\}$$

o counts what an asker's votes on an item have said so far, P(o) is how likely that is, R(o) the risk of
deciding then and R_final(o) that of a final answer, each times P(o): stop, have it ended, or ask once more.
Lambda is the price of money: what risk a unit of the currency has to take away. The plan that is best at one
price of money is a corner of the hull of all that can be had for what is paid (H. Everett: Generalized
Lagrange multiplier method, 1963); that of most gain per price is found by planning at the ratio that the last
plan reached (W. Dinkelbach: On nonlinear fractional programming, 1967).

People err together: what was said is likelier to be said again than the next person's accuracy tells. Votes
on an item are draws from a Pólya urn (F. Eggenberger, G. Pólya: Über die Statistik verketteter Vorgänge,
1923) with correlation ALIKE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from models.arrays import F8, I8
from models.cost import risk
from models.value import FREE, Asker, Ways, final_risk, further

HORIZON = 4
"""Votes that are looked ahead."""

MOST_STATES = 60
"""Counts that the votes may come to; many classes are looked at less far ahead (5 classes: three votes)."""

ALIKE = 0.35
"""Correlation of the errors that people of one tier make on one item, as it is reckoned with here: that of
the most like-minded of five recorded crowds (`models.votes.TOGETHER` is about their mean). How much a crowd
errs together is known late, and votes that only repeat each other are money lost."""

ROUNDS = 3
"""Of Dinkelbach's, from money without a price on: the first plan is the most lavish one, the last that of
most gain per price (its ratio is within a few per cent of the best)."""

CHEAPER_MONEY = (0.5, 0.2)
"""Shares of the best ratio at which money is not as dear: plans for those who have more of it."""

LEFT, VOTES, FINALS = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """All O counts that so many votes of S symbols may come to.

    Attributes:
        said: (O,) the last vote. before: (O,) place, a level up, of what was said before it.
        times: (O,) how often the same had been said by then; of no votes, all three are empty.
        then: (O, S) place, a level down, after one vote more; of the last level (O, 0).
    """

    said: I8
    before: I8
    times: I8
    then: I8


def looking_ahead(
    posterior: F8, asker: Asker, final: Asker | None = None, cost: F8 | None = None, before: int = 0
) -> Ways:
    """Ways that begin with a vote of the asker and go on as its answers say: without a final answer in any
    case, and with one where that is worth its price.

    Args:
        posterior: (n, K), rows sum to 1. asker: not a final one, which may be asked once at least.
        final: who may be asked to end it, or None.
        cost: (K, K) or None for 0/1.
        before: votes of this asker that the posterior rests on already.
    """
    each = [_ways(posterior, asker, who, cost, before) for who in dict.fromkeys((None, final))]
    return Ways(*(np.concatenate(columns, axis=1) for columns in zip(*each, strict=True)))


def votes_ahead(n_symbols: int, most: int) -> int:
    """Votes that can be looked ahead in reasonable time, at least 1."""
    fitting = (m for m in range(min(most, HORIZON), 1, -1) if comb(n_symbols + m, m) <= MOST_STATES)
    return next(fitting, 1)


def _ways(
    posterior: F8, asker: Asker, final: Asker | None, cost: F8 | None, before: int
) -> tuple[F8, F8, F8]:
    """(n, J) votes, final answers and gain of the plans that are best at several prices of money."""
    tree = _Tree(posterior, asker, final, cost, before)
    now = risk(posterior, cost)
    price = np.array([max(asker.price, FREE), 0.0 if final is None else max(final.price, FREE)])
    money = np.zeros(len(posterior))
    plans = []
    for _ in range(ROUNDS):
        plan = tree.plan(money, price)
        plans.append(plan)
        money = np.maximum(now - plan[LEFT], 0.0) / (price @ plan[VOTES:])
    plans += [tree.plan(money * share, price) for share in CHEAPER_MONEY]
    left, votes, finals = np.stack(plans, axis=2)
    return np.maximum(votes, 1.0), finals, np.maximum(now[:, None] - left, 0.0)


class _Tree:
    """What may be said about n items, and what it leaves: by level, (O, n) each, times how likely it is."""

    def __init__(
        self, posterior: F8, asker: Asker, final: Asker | None, cost: F8 | None, before: int
    ) -> None:
        ahead = votes_ahead(len(asker.likelihood), asker.max_votes - before)
        self._levels = _levels(len(asker.likelihood), ahead)
        joints = _joints(posterior, asker.likelihood, before, self._levels)
        self._chance = [joint.sum(axis=0) for joint in joints]
        self._stop = [_ends(_least(joint, cost)) for joint in joints]
        self._ended = []
        if final is not None:
            leaves = final_risk(final.likelihood, cost)
            told = [np.tensordot(leaves, joint, 1) for joint in joints]
            self._ended = [_ends(left, chance) for left, chance in zip(told, self._chance, strict=True)]

    def plan(self, money: F8, price: F8) -> F8:
        """(3, n) risk left, votes and final answers of the plan that is best for what each costs.

        Args:
            money: (n,) risk that a unit of currency must take away. price: of a vote, of a final answer.
        """
        worth = np.stack([np.ones_like(money), *(price[:, None] * money)])[:, None]
        last = len(self._levels) - 1
        after = self._rest(last, worth)
        for place in range(last - 1, 0, -1):
            after = _better(self._rest(place, worth), self._asked(place, after), worth)
        return np.asarray(self._asked(0, after)[:, 0])

    def _rest(self, place: int, worth: F8) -> F8:
        """(3, O, n) without another vote."""
        stop = self._stop[place]
        return _better(stop, self._ended[place], worth) if self._ended else stop

    def _asked(self, place: int, after: F8) -> F8:
        """(3, O, n) with another vote and what comes after each that it may be, (3, O', n)."""
        then = self._levels[place].then
        whole = after[:, then[:, 0]]
        for symbol in range(1, then.shape[1]):
            whole += after[:, then[:, symbol]]
        whole[VOTES] += self._chance[place]
        return np.asarray(whole)


def _better(one: F8, other: F8, worth: F8) -> F8:
    """(3, O, n) whichever costs less at each place, risk and money together."""
    return np.where(((other - one) * worth).sum(axis=0) < 0, other, one)


def _ends(left: F8, finals: F8 | None = None) -> F8:
    """(3, O, n) of risks left (O, n)."""
    ends = np.zeros((3, *left.shape))
    ends[LEFT] = left
    if finals is not None:
        ends[FINALS] = finals
    return ends


def _least(joint: F8, cost: F8 | None) -> F8:
    """(O, n) risk of the best decision, of (K, O, n)."""
    if cost is None:
        return np.asarray(joint.sum(axis=0) - joint.max(axis=0))
    return np.asarray(np.tensordot(cost, joint, 1).min(axis=0))


def _joints(posterior: F8, likelihood: F8, before: int, levels: Sequence[_Level]) -> list[F8]:
    """(K, O, n) P(class, votes in one of their orders) of every level."""
    firm = (1 - ALIKE) / ALIKE + before
    first = further(likelihood, before, 1)
    exact = posterior / posterior.sum(axis=1, keepdims=True)  # votes are counted by chances
    joints = [np.ascontiguousarray(exact.T[:, None])]
    for votes, level in enumerate(levels[1:]):
        chance = (firm * first[level.said] + level.times[:, None]) / (firm + votes)
        joints.append(joints[-1][:, level.before] * chance.T[:, :, None])
    return joints


@lru_cache(maxsize=64)
def _levels(n_symbols: int, votes: int) -> tuple[_Level, ...]:
    """Levels of 0, 1, ... votes."""
    counts = [list(combinations_with_replacement(range(n_symbols), m)) for m in range(votes + 1)]
    places = [{one: place for place, one in enumerate(level)} for level in counts]
    return tuple(
        _Level(
            said=np.array([one[-1] for one in level if one], np.int64),
            before=np.array([places[m - 1][one[:-1]] for one in level if one], np.int64),
            times=np.array([one.count(one[-1]) - 1 for one in level if one], np.int64),
            then=_then(level, places[m + 1] if m < votes else {}, n_symbols),
        )
        for m, level in enumerate(counts)
    )


def _then(counts: Sequence[tuple[int, ...]], down: dict[tuple[int, ...], int], n_symbols: int) -> I8:
    """(O, S), or (O, 0) where no level follows."""
    symbols = range(n_symbols if down else 0)
    places = [[down[tuple(sorted((*one, symbol)))] for symbol in symbols] for one in counts]
    return np.array(places, np.int64).reshape(len(counts), len(symbols))
