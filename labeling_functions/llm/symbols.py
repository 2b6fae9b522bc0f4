"""What a language model's votes are to the label model: label and confidence bin together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling_functions.task import ABSTAIN

EDGES = (0.625, 0.775, 0.9)
"""Confidence at which the next bin begins, the classifier's as well."""

N_BINS = len(EDGES) + 1

BIN_WITHOUT = 1
"""Bin of an answer without a confidence: what is expected of it before anything is known fits most models."""


def n_symbols(n_classes: int) -> int:
    """Symbols of a language model: each label in each bin, and last that it abstained."""
    return n_classes * N_BINS + 1


def symbols(labels: Sequence[int], confidences: Sequence[float | None], n_classes: int) -> NDArray[np.int64]:
    """(n,) symbols of n votes: label * N_BINS + bin; n_classes * N_BINS for ABSTAIN.

    Raises:
        ValueError: a label outside of -1 to n_classes - 1.
    """
    given = np.array(labels, np.int64)
    if given.size and (given.min() < ABSTAIN or given.max() >= n_classes):
        raise ValueError(f"labels: {given.min()} to {given.max()} is not within -1 to {n_classes - 1}")
    sure = np.array([np.nan if one is None else one for one in confidences], np.float64)
    bins = np.where(np.isnan(sure), BIN_WITHOUT, np.searchsorted(EDGES, sure, side="right"))
    return np.where(given == ABSTAIN, n_classes * N_BINS, given * N_BINS + bins)
