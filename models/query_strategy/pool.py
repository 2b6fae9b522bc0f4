"""What a query strategy chooses from, and what every strategy is."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.arrays import F4, F8, I8, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """n items of K classes, from which some are to be asked about.

    Attributes:
        posterior: (n, K) what is believed of each item; rows sum to 1.
        labeled: (n,) True where people have answered or are being asked: never chosen, but known ground.
        vectors: (n, d) embeddings, or None without an encoder.
        embedded: (n,) False where a row of `vectors` stands for none; None: all have one.
        votes: (n,) how many answers of people each item has already, final or not; None counts as none.
    """

    posterior: F8
    labeled: Mask
    vectors: F4 | None = None
    embedded: Mask | None = None
    votes: I8 | None = None

    def __post_init__(self) -> None:
        n = len(self.posterior)
        if self.posterior.ndim != 2:
            raise ValueError(f"pool: posterior of shape {self.posterior.shape}, wanted (items, classes)")
        for name in ("labeled", "vectors", "embedded", "votes"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise ValueError(f"pool: {name} for {len(column)} items, posterior for {n}")

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.posterior.shape[1])

    @property
    def free(self) -> I8:
        """Rows that may be chosen, in their order."""
        return np.flatnonzero(~self.labeled)

    def part(self, rows: I8) -> "Pool":
        """The pool of these rows alone, without vectors."""
        votes = None if self.votes is None else self.votes[rows]
        return Pool(self.posterior[rows], self.labeled[rows], votes=votes)


class QueryStrategy(Protocol):
    """Chooses the items whose answers would teach the models most."""

    def __call__(self, pool: Pool, count: int, seed: int) -> I8:
        """Rows of the pool to ask about, best first: `count` different ones, or all free ones if fewer.

        Equal arguments give equal rows.
        """
        ...


def random_order(rows: I8, seed: int) -> I8:
    """The rows in an order that only the seed decides; first things first breaks no ties this way."""
    return np.asarray(np.random.Generator(np.random.PCG64(seed)).permutation(rows), np.int64)


def lowest(pool: Pool, scores: F8, count: int, seed: int) -> I8:
    """The `count` free rows of the lowest score (n,), lowest first; equals in random order."""
    rows = random_order(pool.free, seed)
    return np.asarray(rows[np.argsort(scores[rows], kind="stable")[: max(count, 0)]])
