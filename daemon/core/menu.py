"""All ways in which the router may ask about some items, with what each is expected to cost and to gain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask
from models.cost import risk
from models.look_ahead import looking_ahead
from models.value import FREE, Asker, Ways, final_risk

LookAhead = Callable[[F8, Asker, Asker | None, F8 | None, int], Ways]
"""Posterior, asker, final asker, cost of errors and votes before, as `looking_ahead` takes them."""

ROUNDING = 1e-9
"""What a number of votes that is a sum of chances may be off by."""


@dataclass(frozen=True, slots=True, eq=False)
class Menu:
    """J ways of asking about c items, of T tiers.

    Attributes:
        first: (J,) tier of the first vote. uses: (J, T) tiers that may be asked.
        may: (c, J) whether the item may get so many votes.
        votes: (c, J, T) expected of each tier. price: (c, J) of them, above 0.
        gain: (c, J) risk expected to be taken away.
    """

    first: I8
    uses: Mask
    may: Mask
    votes: F8
    price: F8
    gain: F8

    def within(self, tiers: Mask) -> Mask:
        """(J,) ways that need none but these (T,) tiers."""
        return np.asarray(~(self.uses & ~tiers).any(axis=1))


def menu_of(
    posterior: F8,
    answered: I8,
    tiers: Sequence[Asker],
    cost: F8 | None = None,
    look_ahead: LookAhead = looking_ahead,
) -> Menu:
    """Each tier's votes alone, and followed by the cheapest final tier where they leave doubt.

    Args:
        posterior: (c, K). answered: (c, T). tiers: T. cost: (K, K) or None for 0/1.
        look_ahead: finds the ways that begin with a tier's vote.
    """
    room = np.array([tier.max_votes for tier in tiers], np.int64) - answered
    gains, votes = [], []
    for index, tier in enumerate(tiers):
        if (room[:, index] < 1).all():
            gain, asked = np.empty((len(room), 0)), np.empty((len(room), 0, len(tiers)))
        elif tier.final:
            gain, asked = _final(posterior, tier, index, len(tiers), cost)
        else:
            gain, asked = _voting(posterior, answered[:, index], tiers, index, cost, look_ahead)
        gains.append(gain)
        votes.append(asked)
    first = np.repeat(np.arange(len(tiers)), [gain.shape[1] for gain in gains])
    return menu_from(first, np.concatenate(votes, axis=1), np.concatenate(gains, axis=1), room, tiers)


def last_tier(tiers: Sequence[Asker]) -> int | None:
    """The cheapest final tier; None without one."""
    return min((t for t in range(len(tiers)) if tiers[t].final), key=lambda t: tiers[t].price, default=None)


def menu_from(first: I8, votes: F8, gain: F8, room: I8, tiers: Sequence[Asker]) -> Menu:
    """The menu of J ways with these first tiers (J,), votes (c, J, T) and gains (c, J).

    `room`: (c, T) votes that each item may still get of each tier.
    """
    needed = np.where(votes > 0, np.maximum(votes, 1.0), 0.0)
    return Menu(
        first=first,
        uses=np.asarray((votes > 0).any(axis=0)),
        may=np.asarray((needed <= room[:, None, :] + ROUNDING).all(axis=2)),
        votes=votes,
        price=votes @ np.array([max(tier.price, FREE) for tier in tiers]),
        gain=gain,
    )


def _final(posterior: F8, tier: Asker, index: int, n_tiers: int, cost: F8 | None) -> tuple[F8, F8]:
    """(c, 1) gain and (c, 1, T) votes of the one answer that ends it."""
    after = posterior @ final_risk(tier.likelihood, cost)
    votes = np.zeros((len(posterior), 1, n_tiers))
    votes[:, :, index] = 1.0
    return np.maximum(risk(posterior, cost) - after, 0.0)[:, None], votes


def _voting(
    posterior: F8,
    answered: I8,
    tiers: Sequence[Asker],
    index: int,
    cost: F8 | None,
    look_ahead: LookAhead,
) -> tuple[F8, F8]:
    """(c, J) gain and (c, J, T) votes of a tier whose votes join those of others, its own (c,) among them."""
    last = last_tier(tiers)
    final = None if last is None else tiers[last]
    alike = [np.flatnonzero(answered == before) for before in np.unique(answered)]
    ways_of = [
        look_ahead(posterior[rows], tiers[index], final, cost, int(answered[rows[0]])) for rows in alike
    ]
    gain = np.empty((len(posterior), ways_of[0].gain.shape[1]))
    votes = np.zeros((*gain.shape, len(tiers)))
    for rows, found in zip(alike, ways_of, strict=True):
        gain[rows] = found.gain
        votes[rows, :, index] = found.votes
        if last is not None:
            votes[rows, :, last] = found.finals
    return gain, votes
