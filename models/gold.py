"""How much a number of known answers is worth as evidence."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.arrays import F8, I8, Mask

STRATA = 4
"""Quarters of the stream by score: enough to see that audits fell on sure items more often."""


@dataclass(frozen=True, slots=True)
class Gold:
    """Answers from random blind draws that a bundle rests on.

    Attributes:
        answers: number of items that have one.
        effective: how many answers on distinct, evenly drawn items they are worth; at most `answers`.
        by_class: the same for each class, by the answers' labels.
    """

    answers: int
    effective: float
    by_class: tuple[float, ...]

    @classmethod
    def none(cls, n_classes: int) -> Self:
        """Before any answer."""
        return cls(0, 0.0, (0.0,) * n_classes)

    @classmethod
    def of(cls, labels: I8, groups: I8, weights: F8, n_classes: int) -> Self:
        """Count g answers.

        Args:
            labels: (g,) class indices.
            groups: (g,) equal for copies of one thing.
            weights: (g,) how many items of the stream each stands for, above 0.
            n_classes: K.
        """
        by_class = (labels == label for label in range(n_classes))
        return cls(
            answers=len(labels),
            effective=effective_number(groups, weights),
            by_class=tuple(effective_number(groups[own], weights[own]) for own in by_class),
        )


def effective_number(groups: I8, weights: F8) -> float:
    r"""Kish's effective sample size of distinct things: $(\sum w)^2 / \sum w^2$; 0 of nothing.

    Copies of one thing tell no more than it does alone: a group counts once, with its mean weight. (L. Kish:
    Survey sampling, 1965.)

    Args:
        groups: (g,) equal for copies. weights: (g,) above 0.
    """
    if not len(groups):
        return 0.0
    _, index = np.unique(groups, return_inverse=True)
    mean = np.bincount(index, weights) / np.bincount(index)
    return float(mean.sum() ** 2 / (mean**2).sum())


def stream_weights(scores: F8, drawn: Mask) -> F8:
    """(g,) how many items of the stream each drawn one stands for, in strata of equal score.

    Draws are random among the items that they are made from, but these change: before the first window they
    are all items, afterwards those that nobody was asked about.

    Args:
        scores: (n,) of all items. drawn: (n,) the g of them.
    """
    edges = np.quantile(scores, np.linspace(0, 1, STRATA + 1)[1:-1])
    stratum = np.searchsorted(edges, scores, side="right")
    everywhere = np.bincount(stratum, minlength=STRATA)
    sampled = np.maximum(np.bincount(stratum[drawn], minlength=STRATA), 1)
    return np.asarray((everywhere / sampled)[stratum[drawn]], np.float64)
