"""Votes as sparse count matrices, with equal items merged, and what they say of annotators."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import F8, I8, UNKNOWN, Mask
from models.label_model.priors import Priors
from models.votes import Votes

UNLABELED_SAMPLE = 10_000
"""Items without a known label that models are fitted on at most; more moved no figure, and cost time."""

PROBE = 5_000
"""Rows of a label matrix that tell whether merging equal ones is worth it."""


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Items with the same votes and the same mark, merged; u patterns, C symbols side by side.

    Attributes:
        votes: on u items. counts: (u, C) sparse, how often each symbol was said, by `Votes.fitting_weights`.
        weight: (u,) number of items. mark: (u,) what else tells items apart, such as a known label.
        first: (u,) an item of each pattern. inverse: (n,) pattern of each item.
    """

    votes: Votes
    counts: Any
    weight: F8
    mark: I8
    first: I8
    inverse: I8


def count_matrix(votes: Votes, weights: F8) -> Any:
    """(n, C) scipy CSR matrix of how often each symbol was said on each item, votes weighed by (v,)."""
    from scipy.sparse import csr_matrix

    shape = (votes.n_items, int(votes.offsets[-1]))
    return csr_matrix((weights, (votes.row, votes.columns)), shape=shape)


def merge(votes: Votes, mark: I8, weight: F8 | None = None) -> Patterns:
    """Merge items that no label model can tell apart, so that fitting costs distinct patterns only.

    Items are compared by a sum of random 64-bit numbers, one for each symbol said and for the mark: two
    different items out of a million share one with a probability of about 3e-8.

    Args:
        votes: on n items.
        mark: (n,) from -1 upwards; items with different marks stay apart.
        weight: (n,) how many items each one stands for; 1 when not given.
    """
    keys = np.random.Generator(np.random.PCG64(0))
    symbol_keys = keys.integers(0, 2**64, int(votes.offsets[-1]), np.uint64)
    mark_keys = keys.integers(0, 2**64, int(mark.max(initial=0)) + 2, np.uint64)
    fingerprints = mark_keys[mark + 1]
    np.add.at(fingerprints, votes.row, symbol_keys[votes.columns])
    _, first, inverse = np.unique(fingerprints, return_index=True, return_inverse=True)
    inverse = inverse.astype(np.int64).ravel()
    distinct = votes.take(first)
    return Patterns(
        votes=distinct,
        counts=count_matrix(distinct, distinct.fitting_weights),
        weight=np.bincount(inverse, weight, len(first)).astype(np.float64),
        mark=mark[first],
        first=first.astype(np.int64),
        inverse=inverse,
    )


def sample(gold: I8, weight: F8 | None = None, seed: int = 0, most: int = UNLABELED_SAMPLE) -> tuple[I8, F8]:
    """Items to fit on, all those with a known label among them, and what each counts.

    The unlabeled ones count for no more than a full sample: a million would silence fifty known labels.

    Args:
        gold: (n,) known label or -1.
        weight: (n,) how many equal items each one stands for; 1 when not given.
        seed: of the draw.
        most: unlabeled items.
    """
    counted = np.ones(len(gold)) if weight is None else np.array(weight, np.float64)
    free = np.flatnonzero(gold == UNKNOWN)
    total = counted[free].sum()
    if len(free) > most:
        random = np.random.Generator(np.random.PCG64(seed))
        share = None if weight is None else counted[free] / total
        free = random.choice(free, most, replace=False, p=share, shuffle=False)
        counted[free] = 1.0
    elif total > most:
        counted[free] *= most / total
    rows = np.sort(np.concatenate([np.flatnonzero(gold != UNKNOWN), free]))
    return rows, counted[rows]


def merge_rows(matrix: NDArray[np.integer[Any]], gold: I8, seed: int = 0) -> tuple[I8, F8]:
    """Rows of a label matrix to fit on, and what each counts: distinct rows where that pays, else a sample.

    Args:
        matrix: (n, m) of any integer type, -1 where a function abstains.
        gold: (n,) known label or -1; rows with one stay apart.
        seed: of keys and draws.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    free = np.flatnonzero(gold == UNKNOWN)
    keys = random.integers(0, 2**64, (matrix.shape[1], int(matrix.max(initial=0)) + 2), np.uint64)
    probe = free if len(free) <= PROBE else random.choice(free, PROBE, replace=False)
    if len(np.unique(_fingerprints(matrix[probe], keys))) > len(probe) / 2:
        return sample(gold, None, seed)
    fingerprints = _fingerprints(matrix if len(free) == len(gold) else matrix[free], keys)
    _, first, sizes = np.unique(fingerprints, return_index=True, return_counts=True)
    known = np.flatnonzero(gold != UNKNOWN)
    rows = np.concatenate([free[first], known])
    kept, counted = sample(gold[rows], np.concatenate([sizes, np.ones(len(known))]), seed)
    return rows[kept], counted


def _fingerprints(matrix: NDArray[np.integer[Any]], keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n,) sums of each row's keys (m, symbols), abstention last; equal rows have equal sums."""
    sums = np.zeros(len(matrix), np.uint64)
    for column, key in zip(matrix.T, keys, strict=True):
        sums += key.take(column, mode="wrap")
    return sums


def expected_tables(
    votes: Votes, posterior: F8, priors: Priors, item_weight: F8 | None = None, only: Mask | None = None
) -> dict[str, F8]:
    """Log P(symbol | class) of every annotator: counts under a posterior, smoothed by its prior.

    Args:
        votes: on n items.
        posterior: (n, K), rows sum to 1.
        priors: what is believed of annotators.
        item_weight: (n,) what each item counts for; 1 when not given.
        only: (m,) which annotators to give tables of; all when not given.

    Returns:
        annotator key -> (S, K).
    """
    weighted = posterior if item_weight is None else posterior * item_weight[:, None]
    matrix = count_matrix(votes, votes.fitting_weights)
    said = np.asarray(matrix.T @ weighted)
    totals = np.asarray(matrix.sum(axis=0), np.float64).ravel()
    balance = class_balance(posterior)
    offsets = votes.offsets
    tables = {}
    for index, key in enumerate(votes.annotators):
        if only is None or only[index]:
            span = slice(offsets[index], offsets[index + 1])
            tables[key] = smoothed(
                said[span], priors.confusion(key, totals[span], balance), priors.strength(key)
            )
    return tables


def smoothed(said: F8, prior: F8, strength: float) -> F8:
    """(S, K) log of counts pulled to a prior that is worth `strength` votes a class."""
    mass = said + strength * np.maximum(prior, 1e-6)
    return np.asarray(np.log(mass) - np.log(mass.sum(axis=0)))


def class_balance(posterior: F8, pseudo: float = 1.0) -> F8:
    """(K,) smoothed share of each class."""
    mass = posterior.sum(axis=0) + pseudo
    return np.asarray(mass / mass.sum())
