"""The classifier of a training run: heads that never saw their fold, and the votes that they cast."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F4, F8, I8, UNKNOWN, Mask, clamped, present
from models.classifier import EDGES, LinearHead, classify_by_fold, fit_fold_heads, symbols
from models.heads import HEADS
from models.votes import CLASSIFIER, Votes

HEAD_ITEMS = 8_000
"""Items that the head learns from at most: all answered ones, the rest drawn at random."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossClassifier:
    """A classifier on n items.

    Attributes:
        head: trained on everything. heads: one a fold, trained on the others.
        proba: (n, K) of all n items, each by the head of its fold; NaN without a vector. votes: the same as
            votes; none on items without a vector.
    """

    head: LinearHead
    heads: tuple[LinearHead, ...]
    proba: F8
    votes: Votes


def train_classifier(
    vectors: F4,
    soft: F8,
    held_soft: Sequence[F8],
    expert: I8,
    groups: I8,
    folds: I8,
    seed: int,
    head: str = "softmax",
) -> CrossClassifier:
    """Learn from soft labels that were made without the classifier's own votes.

    Args:
        vectors: (n, d), at least one of them `present`; items without one teach nothing.
        soft: (n, K) posterior by models that know every label.
        held_soft: one (n, K) a fold, by models that know no label of this fold.
        expert: (n,) known label or -1.
        groups: (n,) items that stay together when the strength is chosen. folds: (n,).
        seed: of the sample.
        head: name in `heads.HEADS`.
    """
    learner = HEADS[head]
    sample = _sample(expert, present(vectors), seed)
    # a fold's own known labels may stand in its targets: its items do not teach its head
    held_targets = [clamped(one, expert) for one in held_soft]
    targets = clamped(soft, expert)
    weights = _informative(targets, expert, learner.gold_weight) * sample
    strength = learner.choose(vectors, targets, weights, groups)
    held_weights = [_informative(one, expert, learner.gold_weight) * sample for one in held_targets]

    def fit(given: F4, labels: F8, counted: F8) -> LinearHead:
        return learner.fit(given, labels, counted, strength)

    heads = fit_fold_heads(vectors, held_targets, held_weights, folds, fit)
    proba = classify_by_fold(heads, vectors, folds)
    votes = Votes.of_one(CLASSIFIER, symbols(proba), soft.shape[1] * (len(EDGES) + 1))
    return CrossClassifier(fit(vectors, targets, weights), heads, proba, votes)


def _informative(targets: F8, expert: I8, gold_weight: float) -> F8:
    """(n,) 1 - entropy / log K: 1 for a certain label, 0 for an empty one; answered items count for more."""
    entropy = -(targets * np.log(np.maximum(targets, 1e-12))).sum(axis=1)
    certainty = np.clip(1 - entropy / np.log(targets.shape[1]), 1e-3, 1.0)
    return np.where(expert == UNKNOWN, certainty, gold_weight)


def _sample(expert: I8, there: Mask, seed: int) -> F8:
    """(n,) 1 for items that the head may learn from, 0 for the rest."""
    known = there & (expert != UNKNOWN)
    others = np.flatnonzero(there & ~known)
    room = max(HEAD_ITEMS - int(known.sum()), 0)
    if len(others) <= room:
        return there.astype(np.float64)
    sample = np.where(known, 1.0, 0.0)
    sample[np.random.Generator(np.random.PCG64(seed)).choice(others, room, replace=False)] = 1.0
    return sample
