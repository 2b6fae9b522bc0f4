"""Items of which least is known."""

import numpy as np

from models.arrays import F8, I8
from models.query_strategy.pool import Pool, lowest


def entropies(posterior: F8) -> F8:
    """(n,) entropy of each row, in nats."""
    return np.asarray(-(posterior * np.log(np.maximum(posterior, 1e-300))).sum(axis=1), np.float64)


def entropy(pool: Pool, count: int, seed: int) -> I8:
    """Highest entropy first.

    B. Settles: Active learning literature survey. 2009, section 3.1.
    """
    return lowest(pool, -entropies(pool.posterior), count, seed)
