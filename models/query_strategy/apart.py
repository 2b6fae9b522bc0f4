"""Items without a vector beside items that have one: no distance says anything of them."""

import math
from typing import Protocol

import numpy as np

from models.arrays import F4, I8
from models.query_strategy.margin import margin
from models.query_strategy.pool import Pool


class VectorStrategy(Protocol):
    """As QueryStrategy, with a vector of each item."""

    def __call__(self, pool: Pool, vectors: F4, count: int, seed: int) -> I8:
        """Rows of the pool, by their `vectors` (n, d) and not by the pool's own."""
        ...


def apart(choose: VectorStrategy, pool: Pool, count: int, seed: int) -> I8:
    """`choose` among the items that have a vector, the margin among the others; both from best to last.

    Without a vector as many are chosen as are among the `count` of smallest margin, but not more than their
    share of all free items: what is never embedded is often more in doubt, and would take every choice from
    what the classifier can learn. Where vectors run short they fill up the rest.
    """
    if pool.vectors is None:
        return margin(pool, count, seed)
    if pool.embedded is None or pool.embedded.all():
        return choose(pool, pool.vectors, count, seed)
    near, bare = np.flatnonzero(pool.embedded), np.flatnonzero(~pool.embedded)
    n_bare = _without_vector(pool, count, seed)
    by_vector = near[choose(pool.part(near), pool.vectors[near], count - n_bare, seed)]
    return _by_turns(by_vector, bare[margin(pool.part(bare), n_bare, seed)])


def _without_vector(pool: Pool, count: int, seed: int) -> int:
    """How many of `count` choices go to items without a vector; the seed rounds a part of one."""
    assert pool.embedded is not None
    doubtful = margin(pool, count, seed)
    free, most = len(pool.free), len(doubtful)
    if not most:
        return 0
    free_bare = int((~pool.labeled & ~pool.embedded).sum())
    part = np.random.Generator(np.random.PCG64(seed)).random()
    in_proportion = math.floor(most * free_bare / free + part)
    in_doubt = int((~pool.embedded[doubtful]).sum())
    return max(min(in_proportion, in_doubt), most - (free - free_bare))


def _by_turns(one: I8, other: I8) -> I8:
    """Both in their order, the shorter spread evenly over the longer."""
    places = [(np.arange(len(rows)) + 0.5) / max(len(rows), 1) for rows in (one, other)]
    return np.asarray(np.concatenate([one, other])[np.argsort(np.concatenate(places), kind="stable")])
