r"""A reward model of pairs: which of two responses people would rather have.

$$P(a \succ b) = \sigma(r(a) - r(b)), \quad r(x) = w^T \phi(x) / s$$

Logistic regression on differences of features, without an intercept, so that the order in which a pair is
given says nothing. It learns from soft labels p = P(a is preferred) by cross-entropy; a tie is p = .5.

R. Bradley, M. Terry: Rank analysis of incomplete block designs. Biometrika 39 (1952). Soft labels of judges
as targets: H. Lee et al.: RLAIF vs. RLHF. arXiv 2309.00267 (2023).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.archive import DamagedBundle, pack, unpack
from models.arrays import F8, I8
from models.folds import grouped_folds

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Inverse regularization strengths C that cross-validation chooses from; a kind has variance 1."""

CHOICE_FOLDS = 5
FORMAT = 1
LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class RewardModel:
    """Linear reward on standardized features.

    Attributes:
        weights: (d,) of standardized features.
        scale: (d,) what each feature is divided by, above 0: its standard deviation, times the root of the
            number of features of its kind. Means cancel in a difference.
        strength: C that it was fitted with.
        about: what the features are (encoder, names of columns, ...); kept, never read here.
    """

    weights: F8
    scale: F8
    strength: float
    about: str = ""

    def __post_init__(self) -> None:
        if self.weights.ndim != 1 or self.scale.shape != self.weights.shape:
            raise ValueError(f"reward: weights {self.weights.shape} and scale {self.scale.shape} do not fit")
        if not (self.scale > 0).all():
            raise ValueError("reward: every scale must be above 0")

    @classmethod
    def fit(
        cls,
        first: NDArray[np.floating[Any]],
        second: NDArray[np.floating[Any]],
        preferred: F8,
        groups: I8,
        weights: F8 | None = None,
        kinds: I8 | None = None,
        strength: float | None = None,
        about: str = "",
    ) -> Self:
        """Learn from n pairs.

        Args:
            first, second: (n, d) features of both responses.
            preferred: (n,) probability in [0, 1] that the first is preferred; .5 for a tie.
            groups: (n,) the prompt of each pair: pairs of one prompt stay together in cross-validation.
            weights: (n,) what each pair counts, 0 or more; 1 when not given.
            kinds: (d,) what kind each feature is of (embedding 0, style 1). Kinds count alike before anything
                is learned, whatever their numbers of features; all are of one kind when not given.
            strength: C; chosen by cross-validation when not given.
            about: what the features are.

        Raises:
            ValueError: shapes that do not fit, a probability outside [0, 1], or nothing to learn from.
        """
        counted = np.ones(len(preferred)) if weights is None else np.asarray(weights, np.float64)
        _check(first, second, preferred, groups, counted)
        used = counted > 0
        a, b = np.asarray(first, np.float64)[used], np.asarray(second, np.float64)[used]
        of_kind = np.zeros(a.shape[1], np.int64) if kinds is None else kinds
        if of_kind.shape != a.shape[1:]:
            raise ValueError(f"reward: kinds has shape {of_kind.shape}; there are {a.shape[1]} features")
        scale = _spread(a, b) * kind_sizes(of_kind)
        difference = (a - b) / scale
        if strength is None:
            strength = choose_strength(difference, preferred[used], groups[used], counted[used])
        return cls(_fit(difference, preferred[used], counted[used], strength), scale, strength, about)

    def score(self, features: NDArray[np.floating[Any]]) -> F8:
        """(n,) rewards of (n, d) features in log-odds; only differences mean anything."""
        if features.ndim != 2 or features.shape[1] != len(self.weights):
            raise ValueError(f"reward: knows {len(self.weights)} features, got shape {features.shape}")
        return np.asarray((np.asarray(features, np.float64) / self.scale) @ self.weights)

    def predict_proba(self, first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> F8:
        """(n,) probability that the first of each pair is preferred, from (n, d) features of both."""
        return sigmoid(self.score(first) - self.score(second))

    def to_bytes(self) -> bytes:
        """An npz file of plain arrays and one JSON text; equal models give equal bytes."""
        about = {"format": FORMAT, "strength": self.strength, "about": self.about}
        return pack(
            {
                "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
                "weights": self.weights,
                "scale": self.scale,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises DamagedBundle; never unpickles anything."""
        arrays = unpack(data)
        if not {"about", "weights", "scale"} <= arrays.keys():
            raise DamagedBundle(f"reward: no reward model, it holds {', '.join(sorted(arrays))}")
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT:
            raise DamagedBundle(f"reward: format {about['format']}, this version reads {FORMAT}")
        return cls(arrays["weights"], arrays["scale"], about["strength"], about["about"])


def choose_strength(difference: F8, preferred: F8, groups: I8, weights: F8) -> float:
    """The C of STRENGTHS with the lowest cross-entropy on prompts left out; the smallest for a single prompt.

    Args:
        difference: (n, d) standardized. preferred, groups, weights: (n,), as in `RewardModel.fit`.
    """
    n_folds = min(CHOICE_FOLDS, len(np.unique(groups)))
    if n_folds < 2:
        return STRENGTHS[0]
    folds = grouped_folds(groups, n_folds, seed=0)
    losses = [_held_out_loss(difference, preferred, weights, folds, strength) for strength in STRENGTHS]
    return STRENGTHS[int(np.argmin(losses))]


def soft_log_loss(predicted: F8, preferred: F8) -> F8:
    """(n,) cross-entropy of predicted probabilities with soft labels, both (n,), in nats."""
    inside = np.clip(predicted, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-preferred * np.log(inside) - (1 - preferred) * np.log1p(-inside))


def sigmoid(logit: F8) -> F8:
    """1 / (1 + exp(-logit)), safe for large logits; sigmoid(x) + sigmoid(-x) is 1."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logit)))


def _held_out_loss(difference: F8, preferred: F8, weights: F8, folds: I8, strength: float) -> float:
    total = 0.0
    for fold in np.unique(folds).tolist():
        inside, outside = folds != fold, folds == fold
        reward = _fit(difference[inside], preferred[inside], weights[inside], strength)
        losses = soft_log_loss(sigmoid(difference[outside] @ reward), preferred[outside])
        total += float((weights[outside] * losses).sum())
    return total


def _fit(difference: F8, preferred: F8, weights: F8, strength: float) -> F8:
    """(d,) each pair twice, weighted p and 1 - p.

    A zero difference for either answer keeps both in the data without moving the fit.
    """
    from sklearn.linear_model import LogisticRegression

    n, d = difference.shape
    model = LogisticRegression(C=strength, fit_intercept=False, max_iter=1_000)
    model.fit(
        np.concatenate([difference, difference, np.zeros((2, d))]),
        np.concatenate([np.ones(n), np.zeros(n), [1, 0]]),
        sample_weight=np.concatenate([weights * preferred, weights * (1 - preferred), [1, 1]]),
    )
    return np.asarray(model.coef_[0], np.float64)


def _spread(first: F8, second: F8) -> F8:
    """(d,) standard deviation of each feature over all responses; 1 where it never varies."""
    deviation = np.concatenate([first, second]).std(axis=0)
    return np.asarray(np.where(deviation > 1e-12, deviation, 1.0))


def kind_sizes(kinds: I8) -> F8:
    """(d,) root of the number of features of each feature's kind."""
    _, kind, count = np.unique(kinds, return_inverse=True, return_counts=True)
    return np.asarray(np.sqrt(count[kind]), np.float64)


def _check(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    preferred: F8,
    groups: I8,
    weights: F8,
) -> None:
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(f"reward: features of shape {first.shape} and {second.shape}; both must be (n, d)")
    columns: Sequence[tuple[str, NDArray[Any]]] = (
        ("preferred", preferred),
        ("groups", groups),
        ("weights", weights),
    )
    for name, column in columns:
        if column.shape != (len(first),):
            raise ValueError(f"reward: {name} has shape {column.shape}; there are {len(first)} pairs")
    if not ((preferred >= 0) & (preferred <= 1)).all():
        raise ValueError("reward: preferences must be probabilities in [0, 1]")
    if not ((weights >= 0).all() and (weights > 0).any()):
        raise ValueError("reward: no pair has any weight, or one has a weight below 0")
