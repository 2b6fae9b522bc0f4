"""Greedy coverage: a few items that stand for all."""

import numpy as np

from models.arrays import F4, F8, I8
from models.query_strategy.apart import apart
from models.query_strategy.pool import Pool, random_order

SAMPLE = 3_000
"""Items that are chosen from, and items that are to be covered: time and memory grow with the square."""

BANDWIDTH_QUANTILE = 0.1
CHUNK = 512


def herding(pool: Pool, count: int, seed: int) -> I8:
    """MaxHerding: each choice adds most to how well the pool is covered by what is labeled.

    Coverage is the mean over items x of max over labeled or chosen l of exp(-|x - l|^2 / h), with h the
    10 % quantile of squared distances. Needs no posterior, so it is for the cold start. Pools of more than
    SAMPLE items are sampled: SAMPLE of all items are covered, SAMPLE of the free ones compete (but never
    fewer than asked for). Items without a vector are chosen apart, by margin.

    W. Bae, J. Noh, D. J. Sutherland: Generalized coverage for more robust low-budget active learning.
    ECCV 2024, arXiv 2407.12212.
    """
    return apart(_evenly, pool, count, seed)


def _evenly(pool: Pool, vectors: F4, count: int, seed: int) -> I8:
    return herd(pool, vectors, np.ones(len(pool.labeled)), count, seed)


def herd(pool: Pool, vectors: F4, weights: F8, count: int, seed: int) -> I8:
    """As `herding`, of the pool with these (n, d) vectors, where each item's cover counts its weight (n,)."""
    candidates = random_order(pool.free, seed)[: max(SAMPLE, count)]
    if not len(candidates) or count <= 0:
        return candidates[:0]
    everyone = random_order(np.arange(len(pool.labeled)), seed + 1)[:SAMPLE]
    ground, weight = vectors[everyone].astype(np.float32), weights[everyone].astype(np.float32)
    bandwidth = _bandwidth(ground)
    covered = _covered(ground, vectors[pool.labeled], bandwidth) * weight
    kernel = _kernel(vectors[candidates], ground, bandwidth) * weight
    return np.asarray(candidates[_greedy(kernel, covered, count)])


def _greedy(kernel: F4, covered: F4, count: int) -> list[int]:
    """Rows of the (candidates, ground) kernel that add most, one after the other.

    What a row adds only falls as others are chosen, so a row that leads after its gain was computed anew is
    the best (M. Minoux: Accelerated greedy algorithms for maximizing submodular set functions. 1978).
    """
    covered = covered.copy()
    gains = np.array([_gain(row, covered) for row in kernel])
    chosen: list[int] = []
    while len(chosen) < min(count, len(kernel)):
        best, renewed = int(gains.argmax()), -1
        while best != renewed:
            gains[best], renewed = _gain(kernel[best], covered), best
            best = int(gains.argmax())
        gains[best] = -np.inf
        chosen.append(best)
        np.maximum(covered, kernel[best], out=covered)
    return chosen


def _gain(row: F4, covered: F4) -> float:
    return float(np.maximum(row - covered, 0).sum())


def _covered(ground: F4, labeled: F4, bandwidth: float) -> F4:
    """(ground,) how near each is to the nearest labeled vector, in [0, 1]."""
    covered = np.zeros(len(ground), np.float32)
    for start in range(0, len(labeled), CHUNK):
        near = _kernel(labeled[start : start + CHUNK], ground, bandwidth)
        np.maximum(covered, near.max(axis=0), out=covered)
    return covered


def _kernel(left: F4, right: F4, bandwidth: float) -> F4:
    return np.asarray(np.exp(-_squared_distances(left, right) / np.float32(bandwidth)), np.float32)


def _squared_distances(left: F4, right: F4) -> F4:
    """(a, b) for (a, d) and (b, d) vectors of any length."""
    left, right = left.astype(np.float32), right.astype(np.float32)
    lengths = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return np.asarray(np.maximum(lengths - 2 * left @ right.T, 0), np.float32)


def _bandwidth(ground: F4) -> float:
    """Where many items are copies the quantile is next to 0; then the quantile of the others counts."""
    some = ground[:1_000]
    distances = _squared_distances(some, some)[np.triu_indices(len(some), 1)]
    apart = distances[distances > 1e-4]
    if not len(apart):
        return 1.0
    quantile = float(np.quantile(distances, BANDWIDTH_QUANTILE))
    return quantile if quantile > 1e-4 else float(np.quantile(apart, BANDWIDTH_QUANTILE))
