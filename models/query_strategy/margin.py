"""Items between two classes."""

import numpy as np

from models.arrays import F8, I8
from models.query_strategy.pool import Pool, lowest


def margins(posterior: F8) -> F8:
    """(n,) probability of the likeliest class less that of the second, in [0, 1]."""
    if posterior.shape[1] < 2:
        return np.ones(len(posterior))
    best = np.partition(posterior, -2, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0], np.float64)


def margin(pool: Pool, count: int, seed: int) -> I8:
    """Smallest margin first.

    T. Scheffer, C. Decomain, S. Wrobel: Active hidden Markov models for information extraction. IDA 2001.
    """
    return lowest(pool, margins(pool.posterior), count, seed)
