"""Decisions by expected cost: which label costs least, and what deciding now is expected to cost.

A cost matrix C is (K, K): C[d, k] is the cost of deciding d when k is true, 0 on the diagonal, 0 or
more elsewhere. Without one every error costs 1: the best label is the most probable one, and its risk the
probability that it is wrong.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from models.arrays import F8, I8


def zero_one(n_classes: int) -> F8:
    """(K, K) cost 1 of every error."""
    return np.asarray(1.0 - np.eye(n_classes))


def distances(n_classes: int) -> F8:
    """(K, K) cost of classes that are steps of a scale: how many steps the label is away."""
    steps = np.arange(n_classes, dtype=np.float64)
    return np.abs(steps[:, None] - steps)


def cost_matrix(classes: Sequence[str], costs: Mapping[str, Mapping[str, float]]) -> F8:
    """(K, K) from true class -> label given -> cost; an error that is not named costs 1.

    Raises ValueError for a class that there is not, a cost of being right, or one below 0.
    """
    matrix = zero_one(len(classes))
    for truth, given in costs.items():
        for label, cost in given.items():
            if unknown := {truth, label} - set(classes):
                known = ", ".join(classes)
                raise ValueError(f"costs: {', '.join(sorted(unknown))} unknown; the classes are {known}")
            if truth == label or not cost >= 0:
                raise ValueError(f"costs: {truth} given as {label} costs {cost}; only errors cost, 0 or more")
            matrix[classes.index(label), classes.index(truth)] = cost
    return matrix


def best_label(posterior: F8, cost: F8 | None = None) -> I8:
    """(n,) the label of least expected cost under (n, K) probabilities; of equals the first."""
    if cost is None:
        return np.asarray(posterior.argmax(axis=1), np.int64)
    return np.asarray((posterior @ _fitting(cost, posterior).T).argmin(axis=1), np.int64)


def risk(posterior: F8, cost: F8 | None = None) -> F8:
    """(n,) expected cost of the best label; without a cost matrix 1 - max posterior."""
    if cost is None:
        return np.asarray(1.0 - posterior.max(axis=1))
    return np.asarray((posterior @ _fitting(cost, posterior).T).min(axis=1))


def _fitting(cost: F8, posterior: F8) -> F8:
    n_classes = posterior.shape[1]
    if cost.shape != (n_classes, n_classes):
        raise ValueError(f"cost matrix: shape {cost.shape} with {n_classes} classes")
    return cost
