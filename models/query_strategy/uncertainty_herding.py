"""Greedy coverage of what is doubtful."""

import numpy as np

from models.arrays import I8
from models.query_strategy.herding import herd
from models.query_strategy.margin import margin, margins
from models.query_strategy.pool import Pool


def uncertainty_herding(pool: Pool, count: int, seed: int) -> I8:
    """Herding in which each item's cover counts its doubt, 1 - margin.

    The paper also tempers the doubt and shrinks the bandwidth as labels come; here the posterior is
    calibrated before, and a smaller bandwidth measured no better. Without vectors: margin.

    W. Bae, G. L. Oliveira, D. J. Sutherland: Uncertainty herding: one active learning method for all label
    budgets. ICLR 2025, arXiv 2412.20644.
    """
    if pool.vectors is None:
        return margin(pool, count, seed)
    doubt = np.maximum(1 - margins(pool.posterior), 1e-6)
    return herd(pool, pool.vectors, doubt, count, seed)
