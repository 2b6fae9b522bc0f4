"""Kinds of classifier heads: one registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.arrays import F4, F8, I8, Mask
from models.classifier import LinearHead, choose_strength, fit_classifier
from models.pair_classifier import choose_pair_strength, fit_pairs
from models.pair_features import kinds_of
from models.reward_figures import reward_figures

Figures = Callable[[LinearHead, F4, F8, F8, I8, Mask], Mapping[str, float]]
"""Head, vectors, held-out probabilities, soft labels, known labels and which of them judge -> metrics."""


@dataclass(frozen=True, slots=True)
class HeadKind:
    """How a linear head is learned from soft labels.

    Attributes:
        choose: vectors (n, d), targets (n, K), weights (n,), groups (n,) -> strength.
        fit: vectors, targets, weights, strength -> head.
        gold_weight: what an answered item counts beside a certain soft label.
        figures: metrics of its own, as `reward_figures` makes them; none of most heads.
    """

    choose: Callable[[F4, F8, F8, I8], float]
    fit: Callable[[F4, F8, F8, float], LinearHead]
    gold_weight: float
    figures: Figures = lambda *_: {}


def _softmax(vectors: F4, targets: F8, weights: F8, strength: float) -> LinearHead:
    return fit_classifier(vectors, targets, weights, strength=strength)


def _choose_pairs(vectors: F4, targets: F8, weights: F8, groups: I8) -> float:
    return choose_pair_strength(vectors, targets, weights, groups, kinds_of(vectors.shape[1]))


def _pairs(vectors: F4, targets: F8, weights: F8, strength: float) -> LinearHead:
    return fit_pairs(vectors, targets, weights, kinds_of(vectors.shape[1]), strength)


HEADS: Mapping[str, HeadKind] = {
    "softmax": HeadKind(choose_strength, _softmax, 10.0),
    "pairs": HeadKind(_choose_pairs, _pairs, 2.0, reward_figures),
}
"""Name -> kind. `softmax` reads embeddings; `pairs` differences of a `PairEncoder`, where the answers on
few pairs must not outshout the soft labels of all: counted for ten each they made rewards worse."""
