"""The ways of asking where one answer tells about several facets at once: each class of a multilabel task.

Risks add up: what is to be taken away is the expected number of classes that are wrong, which is about how
likely a set of few doubtful classes is wrong at all. Several votes are looked at as if all were asked for at
once: whether one more is asked for after the first hangs on what it said of all classes, not of one.
"""

from collections.abc import Sequence

import numpy as np

from daemon.core.menu import Menu, last_tier, menu_from, menu_of
from models.arrays import F8, I8
from models.value import Asker, ways


def menu_of_sets(posterior: F8, answered: I8, facets: Sequence[Sequence[Asker]], cost: F8 | None) -> Menu:
    """Each tier's votes alone, and followed by the final answer that any of the facets may call for.

    Args:
        posterior: (c, F * K). answered: (c, T). facets: F times T tiers. cost: (K, K) or None for 0/1.
    """
    each = np.split(posterior, len(facets), axis=1)
    menus = [menu_of(one, answered, tiers, cost, ways) for one, tiers in zip(each, facets, strict=True)]
    tiers = facets[0]
    last = last_tier(tiers)
    votes, gain = menus[0].votes.copy(), np.sum([menu.gain for menu in menus], axis=0)
    if last is not None:
        voting = menus[0].first != last
        sought = np.stack([menu.votes[:, voting, last] for menu in menus])
        ended = np.stack([menu.gain[:, ~voting] for menu in menus])
        votes[:, voting, last] = _any(sought)
        if ended.shape[2]:
            gains = np.stack([menu.gain[:, voting] for menu in menus])
            gain[:, voting] = _joint(gains, sought, ended)
    room = np.array([tier.max_votes for tier in tiers], np.int64) - answered
    return menu_from(menus[0].first, votes, gain, room, tiers)


def _any(chances: F8) -> F8:
    """(c, J) chance that at least one of F facets calls, of (F, c, J) chances that each does."""
    return np.asarray(1 - (1 - chances).prod(axis=0))


def _joint(gains: F8, sought: F8, ended: F8) -> F8:
    """(c, J) gain of all facets: where another one calls for the final answer, a facet gains what that gives.

    gains, sought: (F, c, J) of each facet by itself, and the chance that it calls. ended: (F, c, 1) what the
    final answer alone takes away.
    """
    others = np.stack([_any(np.delete(sought, facet, axis=0)) for facet in range(len(sought))])
    return np.asarray(((1 - others) * gains + others * ended).sum(axis=0))
