"""The acceptance score: how likely a label is right, learned from audited answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import F8, I8, Mask, log_softmax

TEMPERATURE_SPREAD = 0.7
"""log T ~ N(0, 0.7^2) (METHODS section 1)."""

SHIFT_SPREAD = 1.0
SLOPE_SPREAD = 0.5
"""Of the curve's shift and of the logarithm of its slope; ten answers move it little, a thousand freely."""

KNOTS = np.linspace(-4.0, 14.0, 73)
"""Where the curve is tabulated, in logits of the score."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A rising, piecewise linear curve from a raw score to the probability of being right.

    Attributes:
        x: (t,) strictly rising knots in [0, 1]. y: (t,) values there, rising, in [0, 1].
    """

    x: F8
    y: F8

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape or len(self.x) < 2:
            raise ValueError(f"calibration: knots of shapes {self.x.shape} and {self.y.shape} do not fit")
        if (np.diff(self.x) <= 0).any() or (np.diff(self.y) < 0).any():
            raise ValueError("calibration: knots must rise")

    @classmethod
    def identity(cls) -> "Calibration":
        """Scores stay as they are."""
        return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    def apply(self, scores: ArrayLike) -> F8:
        """(n,) calibrated scores; constant beyond the outermost knots."""
        return np.asarray(np.interp(np.asarray(scores, np.float64), self.x, self.y))


def fit_calibration(scores: F8, correct: Mask) -> Calibration:
    """Platt scaling on the score's logit, pulled to the identity by a prior; tabulated.

    P(right) = sigmoid(shift + slope * logit(score)), shift ~ N(0, 1), log slope ~ N(0, 0.5^2), by maximum
    a posteriori: sane with ten answers, free with hundreds, and strictly rising, so that it never makes
    ties among scores as isotonic regression does. (J. Platt: Probabilistic outputs for support vector
    machines, 1999; the prior is ours.)

    Args:
        scores: (g,) in [0, 1] of items whose answers came from random blind draws.
        correct: (g,) whether the label was right.

    Returns:
        The identity when there are no scores.
    """
    from scipy.optimize import minimize

    if not len(scores):
        return Calibration.identity()
    logits = _logit(np.asarray(scores, np.float64))
    signs = np.where(correct, 1.0, -1.0)

    def loss(parameters: F8) -> float:
        shift, log_slope = parameters
        margins = signs * (shift + np.exp(log_slope) * logits)
        pull = (shift / SHIFT_SPREAD) ** 2 + (log_slope / SLOPE_SPREAD) ** 2
        return float(np.logaddexp(0, -margins).sum() + pull / 2)

    shift, log_slope = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return Calibration(_sigmoid(KNOTS), _sigmoid(shift + np.exp(log_slope) * KNOTS))


def fit_temperature(logits: F8, gold: I8) -> float:
    """T that makes softmax(T * logits) most likely on known labels, log T ~ N(0, 0.7^2); 1 without any.

    Args:
        logits: (g, K) of items whose labels took no part in making them.
        gold: (g,) their labels.
    """
    from scipy.optimize import minimize_scalar

    if not len(gold):
        return 1.0
    rows = np.arange(len(gold))

    def loss(log_temperature: float) -> float:
        likelihood = log_softmax(np.exp(log_temperature) * logits)[rows, gold].sum()
        return float(-likelihood + (log_temperature / TEMPERATURE_SPREAD) ** 2 / 2)

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 2.0), method="bounded").x))


def _logit(scores: F8) -> F8:
    inside = np.clip(scores, 1e-7, 1 - 1e-7)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _sigmoid(logits: F8) -> F8:
    return np.asarray(1 / (1 + np.exp(-logits)))
