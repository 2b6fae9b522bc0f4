"""Splitting items for cross-validation so that copies of one thing never stand on both sides."""

import numpy as np

from models.arrays import I8, Mask


def grouped_folds(groups: I8, n_folds: int, seed: int, first: Mask | None = None) -> I8:
    """Fold of each item; items of one group share it.

    Args:
        groups: (n,) any integers.
        n_folds: number of folds.
        seed: of the random order in which groups are dealt out.
        first: (n,) items whose groups are dealt out before the others, so that each fold has its share
            of them (answered items are few).

    Returns:
        (n,) in 0..n_folds-1.
    """
    _, index = np.unique(groups, return_inverse=True)
    n_groups = int(index.max(initial=-1)) + 1
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n_groups)
    if first is not None:
        holds = np.bincount(index, weights=first, minlength=n_groups) > 0
        order = order[np.argsort(~holds[order], kind="stable")]
    fold_of_group = np.empty(n_groups, np.int64)
    fold_of_group[order] = np.arange(n_groups) % n_folds
    return np.asarray(fold_of_group[index])
