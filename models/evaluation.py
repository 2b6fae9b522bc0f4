"""How good predictions are, measured on answers that they never saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.arrays import F8, I8, Mask
from models.cost import best_label

RELIABILITY_BINS = 10
CURVE_POINTS = 50
LEAST_PROBABILITY = 1e-6
"""A single miss at full confidence must not decide a comparison alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A candidate's judgment on g audited items, every prediction made without the item's own answer.

    Attributes:
        metrics: name -> value; NaN where there was nothing to measure.
        confusion: (K, K) counts, [true, predicted]; of sets (F, 2, 2), for each class whether it applies.
        reliability: (b, 3) mean score, share right, items; bins of about equal size, scores rising.
        risk_coverage: (c, 2) share of items accepted, share of errors among them; coverage rising.
        class_counts: (K,) all items of the training data by their label; of sets (F,) those whose label names
            the class.
    """

    metrics: Mapping[str, float]
    confusion: I8
    reliability: F8
    risk_coverage: F8
    class_counts: I8


def log_loss(posterior: F8, truth: I8) -> F8:
    """(g,) -log of the probability given to the true label."""
    given = posterior[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.maximum(given, LEAST_PROBABILITY)))


def confusion_matrix(truth: I8, predicted: I8, n_classes: int) -> I8:
    """(K, K) counts, [true, predicted]."""
    flat = np.bincount(truth * n_classes + predicted, minlength=n_classes**2)
    return np.asarray(flat.reshape(n_classes, n_classes), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Counts of each of C classes on audited items.

    Attributes:
        hits: (C,) items of which it was predicted and true. said: (C,) predicted. true: (C,) true.
    """

    hits: I8
    said: I8
    true: I8

    @classmethod
    def of(cls, confusion: I8) -> Self:
        """From (K, K) counts [true, predicted] of K classes, or (F, 2, 2) of sets of F classes."""
        if confusion.ndim == 3:
            return cls(confusion[:, 1, 1], confusion[:, :, 1].sum(axis=1), confusion[:, 1].sum(axis=1))
        return cls(np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1))


def f1_scores(confusion: I8) -> F8:
    """(C,) F1 of each class, from counts as `Tallies` reads them; NaN where it neither occurs nor is
    predicted.
    """
    tallies = Tallies.of(confusion)
    both = tallies.said + tallies.true
    hits = tallies.hits.astype(np.float64)
    return np.asarray(np.divide(2 * hits, both, out=np.full(len(hits), np.nan), where=both > 0))


def minority_f1(confusion: I8) -> float:
    """F1 of the class that is rarest in truth, among those that occur; NaN if none does."""
    seen = Tallies.of(confusion).true
    if not seen.sum():
        return float("nan")
    rarest = int(np.argmin(np.where(seen > 0, seen, np.iinfo(np.int64).max)))
    return float(f1_scores(confusion)[rarest])


def reliability_bins(scores: F8, correct: Mask) -> F8:
    """(b, 3) mean score, share right, items; b <= 10 bins of about equal size, scores rising."""
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, min(RELIABILITY_BINS, len(order)) or 1) if len(part)]
    rows = [(scores[part].mean(), correct[part].mean(), len(part)) for part in parts]
    return np.array(rows, np.float64).reshape(-1, 3)


def calibration_error(reliability: F8) -> float:
    """Expected calibration error: mean gap between score and share right; NaN without items."""
    if not len(reliability):
        return float("nan")
    return float(np.average(np.abs(reliability[:, 0] - reliability[:, 1]), weights=reliability[:, 2]))


def risk_coverage_curve(scores: F8, correct: Mask) -> F8:
    """(c, 2) share accepted and share of errors among them, for falling thresholds on the score."""
    if not len(scores):
        return np.empty((0, 2))
    order = np.argsort(-scores, kind="stable")
    errors = np.cumsum(~correct[order])
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) + 1  # ties are accepted together
    kept = np.unique(ends[np.linspace(0, len(ends) - 1, min(CURVE_POINTS, len(ends))).astype(np.int64)])
    return np.stack([kept / len(scores), errors[kept - 1] / kept], axis=1)


def judge(
    posterior: F8,
    scores: F8,
    truth: I8,
    everything: F8,
    extra: Mapping[str, float],
    cost: F8 | None = None,
) -> Evaluation:
    """Evaluate held-out predictions.

    Args:
        posterior: (g, K) and scores (g,) of audited items, made without their own answers.
        truth: (g,) what the audits said.
        everything: (n, K) the candidate's posterior on all items.
        extra: further metrics.
        cost: (K, K) of errors, or None for 0/1; labels are those of least expected cost, as they are
            decided. Scores are about the most probable label in any case.
    """
    n_classes = everything.shape[1]
    predicted = best_label(posterior, cost)
    correct = posterior.argmax(axis=1) == truth
    confusion = confusion_matrix(truth, predicted, n_classes)
    reliability = reliability_bins(scores, correct)
    nothing = float("nan")
    metrics = {
        "audited": float(len(truth)),
        "accuracy": float((predicted == truth).mean()) if len(truth) else nothing,
        "log_loss": float(log_loss(posterior, truth).mean()) if len(truth) else nothing,
        "calibration_error": calibration_error(reliability),
        "minority_f1": minority_f1(confusion),
        **extra,
    }
    return Evaluation(
        metrics=metrics,
        confusion=confusion,
        reliability=reliability,
        risk_coverage=risk_coverage_curve(scores, correct),
        class_counts=np.bincount(best_label(everything, cost), minlength=n_classes),
    )
