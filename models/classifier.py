"""The classifier on embeddings: a linear head, learned from soft labels, voting in confidence bins."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F4, F8, I8, softmax
from models.folds import grouped_folds
from models.votes import UNSAID

EDGES = (0.625, 0.775, 0.9)
"""Confidence at which the next bin begins: halfway between the accuracies expected of the bins."""

STRENGTHS = (1.0, 4.0, 16.0, 64.0)
"""Inverse regularization strengths C that cross-validation chooses from; embeddings have length 1."""

CHOICE_ITEMS = 2_000
CHOICE_FOLDS = 3
SMALLEST_MASS = 0.02
"""Classes below this share of an item's soft label are dropped from its copies."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """Weights (K, d) and bias (K,) of a multinomial logistic regression, float32."""

    weights: F4
    bias: F4

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.bias.shape != self.weights.shape[:1]:
            raise ValueError(f"head: weights {self.weights.shape} and bias {self.bias.shape} do not fit")

    def predict_proba(self, vectors: F4) -> F8:
        """(n, K) probabilities of (n, d) vectors; rows of NaN where there is no vector (`present`).

        Raises ValueError for vectors of another length.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.weights.shape[1]:
            raise ValueError(f"head: knows vectors of length {self.weights.shape[1]}, got {vectors.shape}")
        return softmax((np.asarray(vectors, np.float32) @ self.weights.T + self.bias).astype(np.float64))


def symbols(proba: F8, edges: Sequence[float] = EDGES) -> I8:
    """(n,) votes of the classifier: label * bins + confidence bin, from (n, K) probabilities.

    UNSAID where these are NaN.
    """
    labels, sure = proba.argmax(axis=1), proba.max(axis=1)
    bins = np.searchsorted(np.asarray(edges), sure, side="right")
    return np.asarray(np.where(np.isnan(sure), UNSAID, labels * (len(edges) + 1) + bins), np.int64)


def fit_classifier(
    vectors: F4, targets: F8, weights: F8, groups: I8 | None = None, strength: float | None = None
) -> LinearHead:
    """Logistic regression (scikit-learn) on soft labels.

    Args:
        vectors: (n, d).
        targets: (n, K) soft labels, rows sum to 1.
        weights: (n,) of the items; items of weight 0 are left out.
        groups: (n,) items of one group stay together in cross-validation; each for itself if not given.
        strength: C; chosen by cross-validation when not given.

    Raises:
        ValueError: no item has any weight.
    """
    used = weights > 0
    if not used.any():
        raise ValueError("classifier: no item has any weight, so there is nothing to learn from")
    if strength is None:
        strength = choose_strength(vectors, targets, weights, groups)
    return _fit(vectors[used], targets[used], weights[used], strength)


def choose_strength(vectors: F4, targets: F8, weights: F8, groups: I8 | None = None) -> float:
    """The C of STRENGTHS with the lowest soft cross-entropy on groups left out."""
    used = np.flatnonzero(weights > 0)
    if len(used) > CHOICE_ITEMS:
        used = np.random.Generator(np.random.PCG64(0)).choice(used, CHOICE_ITEMS, replace=False)
    groups = np.arange(len(weights)) if groups is None else groups
    folds = grouped_folds(groups[used], CHOICE_FOLDS, seed=0)
    if len(np.unique(folds)) < CHOICE_FOLDS:
        return STRENGTHS[0]
    losses = []
    for strength in STRENGTHS:
        loss = 0.0
        for fold in range(CHOICE_FOLDS):
            inside, outside = used[folds != fold], used[folds == fold]
            head = _fit(vectors[inside], targets[inside], weights[inside], strength)
            logs = np.log(np.maximum(head.predict_proba(vectors[outside]), 1e-9))
            loss -= float((weights[outside] * (targets[outside] * logs).sum(axis=1)).sum())
        losses.append(loss)
    return STRENGTHS[int(np.argmin(losses))]


def fit_fold_heads(
    vectors: F4,
    targets: Sequence[F8],
    weights: Sequence[F8],
    folds: I8,
    fit: Callable[[F4, F8, F8], LinearHead],
) -> tuple[LinearHead, ...]:
    """For each of F folds a head that never saw its items.

    Args:
        vectors: (n, d).
        targets, weights: one (n, K) and one (n,) a fold: what its head learns from, on other folds' items.
            (Soft labels may rest on known labels; a fold's own must not shine through.)
        folds: (n,).
        fit: vectors, targets and weights to a head.

    Returns:
        F heads; one that says nothing where no item of another fold has any weight.
    """
    n_classes = targets[0].shape[1]
    heads = []
    for fold, (target, weight) in enumerate(zip(targets, weights, strict=True)):
        others = np.where(folds == fold, 0.0, weight)
        if others.any():
            heads.append(fit(vectors, target, others))
        else:
            mute = np.zeros((n_classes, vectors.shape[1]), np.float32)
            heads.append(LinearHead(mute, np.zeros(n_classes, np.float32)))
    return tuple(heads)


def classify_by_fold(heads: Sequence[LinearHead], vectors: F4, folds: I8) -> F8:
    """(n, K) probabilities of (n, d) vectors, each by the head of its fold (n,); NaN without a vector."""
    proba = np.empty((len(vectors), len(heads[0].bias)))
    for fold in np.unique(folds).tolist():
        own = folds == fold
        proba[own] = heads[fold].predict_proba(vectors[own])
    return proba


def _fit(vectors: F4, targets: F8, weights: F8, strength: float) -> LinearHead:
    """A copy of an item for each class it may belong to, weighted by the soft label.

    One copy of the zero vector for each class keeps classes that nobody saw possible.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    n_classes = targets.shape[1]
    item, label = np.nonzero(targets >= SMALLEST_MASS)
    mass = targets[item, label] * weights[item]
    inputs = np.concatenate([vectors[item], np.zeros((n_classes, vectors.shape[1]), vectors.dtype)])
    model = LogisticRegression(C=strength, max_iter=200, tol=1e-4)
    with warnings.catch_warnings():  # a head stopped early is judged by cross-validation like any other
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(
            inputs,
            np.concatenate([label, np.arange(n_classes)]),
            sample_weight=np.concatenate([mass, np.full(n_classes, 0.5)]),
        )
    coefficients = np.asarray(model.coef_, np.float32)
    bias = np.asarray(model.intercept_, np.float32)
    if n_classes == 2:
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        bias = np.concatenate([np.zeros_like(bias), bias])
    return LinearHead(coefficients, bias)
