"""Shapes of numbers that every room of `models` uses, and the few formulas they share."""

import numpy as np
from numpy.typing import NDArray

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNKNOWN = -1
"""A label that nobody has given."""


def present(vectors: F4) -> Mask:
    """(n,) which of (n, d) vectors are there: a row with a NaN in it stands for one that nobody computed."""
    return np.asarray(~np.isnan(vectors).any(axis=1), np.bool_)


def log_softmax(logits: F8) -> F8:
    """Rows of log-probabilities from rows of logits, (n, K) both; safe for large logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(logits: F8) -> F8:
    """Rows of probabilities from rows of logits, (n, K) both; safe for large logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def one_hot(labels: I8, n_classes: int) -> F8:
    """(n, K) with a one at each label; a row of zeros where the label is UNKNOWN."""
    return np.asarray(labels[:, None] == np.arange(n_classes), np.float64)


def clamped(posterior: F8, gold: I8) -> F8:
    """A copy of (n, K) rows in which items with a known label are certain of it."""
    known = gold != UNKNOWN
    fixed = posterior.copy()
    fixed[known] = one_hot(gold[known], posterior.shape[1])
    return fixed
