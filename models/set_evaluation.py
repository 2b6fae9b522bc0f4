"""How good predictions of sets of classes are, measured on answers that they never saw."""

from collections.abc import Mapping

import numpy as np

from models.arrays import F8, I8, Mask
from models.evaluation import (
    Evaluation,
    Tallies,
    calibration_error,
    confusion_matrix,
    f1_scores,
    log_loss,
    minority_f1,
    reliability_bins,
    risk_coverage_curve,
)
from models.set_bundle import by_class


def likelier(posterior: F8) -> I8:
    """(n, F) 1 where a class is likelier to apply than not, from (n, F * 2)."""
    return np.asarray(by_class(posterior).argmax(axis=2), np.int64)


def set_log_loss(posterior: F8, truth: I8) -> F8:
    """(g,) -log of the probability given to the true set, classes taken as independent.

    Args:
        posterior: (g, F * 2). truth: (g, F) of 0 and 1.
    """
    pairs = by_class(posterior)
    return np.asarray(sum(log_loss(pairs[:, place], truth[:, place]) for place in range(truth.shape[1])))


def judge_sets(
    posterior: F8, scores: F8, truth: I8, everything: F8, extra: Mapping[str, float]
) -> Evaluation:
    """Evaluate held-out predictions.

    Args:
        posterior: (g, F * 2) and scores (g,) of audited items, made without their own answers.
        truth: (g, F) 1 where the audit said that the class applies.
        everything: (n, F * 2) the candidate's posterior on all items.
        extra: further metrics.

    Returns:
        `accuracy`, scores and curves are about whole sets; `log_loss` is summed over the classes of an item;
        `hamming_loss` is the share of wrong decisions about a class; `f1_macro` is the mean F1 of the classes
        that occur or were predicted, `f1_micro` the F1 of all decisions thrown together.
    """
    predicted = likelier(posterior)
    correct: Mask = (predicted == truth).all(axis=1)
    reliability = reliability_bins(scores, correct)
    confusion = np.stack(
        [confusion_matrix(said, true, 2) for true, said in zip(predicted.T, truth.T, strict=True)]
    )
    return Evaluation(
        metrics={
            "audited": float(len(truth)),
            "accuracy": _mean(correct),
            "log_loss": _mean(set_log_loss(posterior, truth)),
            "calibration_error": calibration_error(reliability),
            "minority_f1": minority_f1(confusion),
            **_over_classes(confusion),
            "hamming_loss": _mean(predicted != truth),
            **extra,
        },
        confusion=confusion,
        reliability=reliability,
        risk_coverage=risk_coverage_curve(scores, correct),
        class_counts=likelier(everything).sum(axis=0),
    )


def _over_classes(confusion: I8) -> Mapping[str, float]:
    """Macro and micro F1 of (F, 2, 2) counts; NaN where no class occurs or is predicted."""
    tallies, each = Tallies.of(confusion), f1_scores(confusion)
    both = int(tallies.said.sum() + tallies.true.sum())
    return {
        "f1_macro": _mean(each[~np.isnan(each)]),
        "f1_micro": 2 * int(tallies.hits.sum()) / both if both else float("nan"),
    }


def _mean(values: F8 | Mask) -> float:
    return float(values.mean()) if values.size else float("nan")
