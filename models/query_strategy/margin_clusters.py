"""Doubtful items that differ from one another."""

import warnings

import numpy as np

from models.arrays import F4, F8, I8
from models.query_strategy.apart import apart
from models.query_strategy.margin import margin, margins
from models.query_strategy.pool import Pool

CANDIDATES_PER_CHOICE = 5
MOST_CANDIDATES = 5_000
"""Clustering grows with candidates times clusters; beyond this there are fewer candidates a choice."""


def margin_clusters(pool: Pool, count: int, seed: int) -> I8:
    """The 5b items of smallest margin are clustered into b, weighted by doubt; the middle of each is chosen.

    Doubt is 1 - margin. At most MOST_CANDIDATES items are clustered (never fewer than asked for), however
    large the pool; finding them is linear in it. Items without a vector are chosen apart, by margin.

    F. Zhdanov: Diverse mini-batch active learning. arXiv 1901.05954, 2019.
    """
    return apart(_clustered, pool, count, seed)


def _clustered(pool: Pool, vectors: F4, count: int, seed: int) -> I8:
    wanted = min(CANDIDATES_PER_CHOICE * count, max(MOST_CANDIDATES, count))
    doubtful = margin(pool, wanted, seed)
    if len(doubtful) <= count:
        return doubtful
    near = vectors[doubtful].astype(np.float32)
    weights = np.maximum(1 - margins(pool.posterior[doubtful]), 1e-6)
    return np.asarray(doubtful[_middles(near, _centers(near, weights, count, seed))])


def _centers(vectors: F4, weights: F8, count: int, seed: int) -> F4:
    """(count, d) centers of a weighted k-means; fewer different ones where many items are copies."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(count, n_init=1, max_iter=50, random_state=seed % 2**32)
    with warnings.catch_warnings():  # copies make fewer clusters than asked for: `_middles` copes
        warnings.simplefilter("ignore", ConvergenceWarning)
        means.fit(vectors, sample_weight=weights)
    return np.asarray(means.cluster_centers_, np.float32)


def _middles(vectors: F4, centers: F4) -> list[int]:
    """The row nearest to each center, no row twice."""
    distances = (vectors**2).sum(axis=1)[None] - 2 * centers @ vectors.T  # up to a constant a center
    chosen: list[int] = []
    for row in distances:
        row[chosen] = np.inf
        chosen.append(int(row.argmin()))
    return chosen
