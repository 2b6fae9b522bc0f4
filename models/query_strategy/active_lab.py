"""ActiveLab's score, as a baseline."""

import numpy as np

from models.arrays import F8, I8
from models.query_strategy.pool import Pool, lowest


def active_lab_scores(posterior: F8, votes: I8) -> F8:
    """(n,) how sure the label would stay after one more answer; the lowest are worth asking about.

    The likeliest class's probability, which model and v answers stand behind, is averaged with the uniform
    1/K, for which one more answerer stands: ((1 + v) max_k q_k + 1/K) / (2 + v). The paper weighs model and
    answerers by how well they agree; here the posterior has weighed them already, so they count alike.
    """
    behind = 1.0 + votes
    n_classes = posterior.shape[1]
    return np.asarray((behind * posterior.max(axis=1) + 1 / n_classes) / (behind + 1), np.float64)


def active_lab(pool: Pool, count: int, seed: int) -> I8:
    """Lowest score first: doubtful items, of equally doubtful ones those that fewer people answered.

    H. W. Goh, J. Mueller: ActiveLab: active learning with re-labeling by multiple annotators.
    arXiv 2301.11856, 2023.
    """
    votes = np.zeros(len(pool.posterior), np.int64) if pool.votes is None else pool.votes
    return lowest(pool, active_lab_scores(pool.posterior, votes), count, seed)
