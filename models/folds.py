"""Splitting items for cross-validation so that copies of one thing never stand on both sides."""

import numpy as np

from models.arrays import I8

FOLDS = 5
"""Of everything that is cross-fitted and then served; see `fold_of`."""


def fold_of(groups: I8) -> I8:
    """(n,) fold of each item by its group, the same in every training and wherever the item is served."""
    return np.asarray(groups % FOLDS)


def grouped_folds(groups: I8, n_folds: int, seed: int) -> I8:
    """Fold of each item; items of one group share it.

    Args:
        groups: (n,) any integers.
        n_folds: number of folds.
        seed: of the random order in which groups are dealt out.

    Returns:
        (n,) in 0..n_folds-1.
    """
    _, index = np.unique(groups, return_inverse=True)
    n_groups = int(index.max(initial=-1)) + 1
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n_groups)
    fold_of_group = np.empty(n_groups, np.int64)
    fold_of_group[order] = np.arange(n_groups) % n_folds
    return np.asarray(fold_of_group[index])
