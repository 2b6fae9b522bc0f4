"""Greedy coverage of what is doubtful."""

import numpy as np

from models.arrays import F4, I8
from models.query_strategy.apart import apart
from models.query_strategy.herding import herd
from models.query_strategy.margin import margins
from models.query_strategy.pool import Pool


def uncertainty_herding(pool: Pool, count: int, seed: int) -> I8:
    """Herding in which each item's cover counts its doubt, 1 - margin.

    The paper also tempers the doubt and shrinks the bandwidth as labels come; here the posterior is
    calibrated before, and a smaller bandwidth measured no better. Items without a vector are
    chosen apart, by margin.

    W. Bae, G. L. Oliveira, D. J. Sutherland: Uncertainty herding: one active learning method for all label
    budgets. ICLR 2025, arXiv 2412.20644.
    """
    return apart(_by_doubt, pool, count, seed)


def _by_doubt(pool: Pool, vectors: F4, count: int, seed: int) -> I8:
    doubt = np.maximum(1 - margins(pool.posterior), 1e-6)
    return herd(pool, vectors, doubt, count, seed)
