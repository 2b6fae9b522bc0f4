r"""Weighted vote: a discriminative model of the known labels, blind to how the votes came about.

$$P(y_i = k \mid votes_i) \propto \exp(b_k + \sum_j w_j 1[v_{ij} = k]), \quad
  w_j \sim N(\text{log-odds of its stated accuracy}, \sigma^2), \quad b_k \sim N(0, \sigma_b^2)$$

The most probable weights given the gold, a multinomial logistic regression with shared weights (D. McFadden:
Conditional logit analysis of qualitative choice behavior, 1974). Given enough gold, copies of one annotator
share the weight that it would get alone; models of how votes arise count each copy as new evidence. With
little gold and a small sigma copies keep their prior weights, and are still counted too often.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, log_softmax, one_hot, softmax
from models.label_model.priors import Priors
from models.label_model.protocol import Member, TableModel, check_gold
from models.votes import BINNED, Votes, kind


@dataclass(frozen=True, slots=True)
class WeightedVoteSettings:
    """How the model is fitted.

    Attributes:
        sigma: how far a weight may stray from its prior, in log-odds; above 0.
        balance_sigma: how far a class's offset may stray from 0, in log-odds; above 0.
        fewest_gold: below this number of known labels nothing is learned, and the model is the
            accuracy-weighted majority.
        max_rounds: Newton steps at most.
        tolerance: stop when no weight moved by more.
    """

    sigma: float = 0.6
    balance_sigma: float = 1.0
    fewest_gold: int = 10
    max_rounds: int = 50
    tolerance: float = 1e-6


HALVINGS = 30
"""Of a step that leads uphill."""


class WeightedVote(TableModel):
    """One weight an annotator (one a confidence bin of the classifier), learned from known labels alone.

    Abstentions say nothing. Items without a known label play no part in the fit.
    """

    name = "weighted_vote"

    def __init__(
        self,
        priors: Priors | None = None,
        seed: int = 0,  # noqa: ARG002 every model takes both
        settings: WeightedVoteSettings | None = None,
    ) -> None:
        self._priors = priors or Priors()
        self._settings = settings or WeightedVoteSettings()

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Find the most probable weights of these annotators and offsets of the classes."""
        (member,) = self.fit_each(votes, n_classes, [gold], weight, picked)
        self._prior, self._tables = member.prior, dict(member.tables)
        return self

    def fit_each(
        self,
        votes: Votes,
        n_classes: int,
        golds: Sequence[I8],
        weight: F8 | None = None,
        picked: Mask | None = None,  # noqa: ARG002 labels given the votes are no other where votes decide who is asked
    ) -> list[Member]:
        """As `fit` with each of several gold columns (n,), which share the work of laying out the votes."""
        known = np.stack([check_gold(votes, n_classes, gold) for gold in golds])
        rows = np.flatnonzero((known != UNKNOWN).any(axis=0))
        counted = np.ones(len(rows)) if weight is None else weight[rows]
        symbols = _Symbols.of(votes, n_classes, self._priors)
        features = symbols.features(votes.take(rows), n_classes)
        members = []
        for gold in known[:, rows]:
            offsets, weights = np.zeros(n_classes), symbols.stated
            if (counted[gold != UNKNOWN]).sum() >= self._settings.fewest_gold:
                offsets, weights = self._learned(features, gold, counted, symbols)
            tables = symbols.table(weights, n_classes)
            members.append(Member(self.name, log_softmax(offsets[None])[0], votes.split(tables)))
        return members

    def _learned(self, features: F8, gold: I8, counted: F8, symbols: "_Symbols") -> tuple[F8, F8]:
        """Offsets (K,) and weights (p,) of least penalized log-loss, which is convex: Newton's steps."""
        n_classes = features.shape[1]
        known = gold != UNKNOWN
        features, counted, truth = features[known], counted[known], one_hot(gold[known], n_classes)
        stated = np.concatenate([np.zeros(n_classes), symbols.stated])
        # of hundreds of people most never spoke of these items: their weights stay as stated
        told = np.flatnonzero(features.any(axis=(0, 1)))
        features, center = features[:, :, told], stated[told]
        precision = np.full(len(center), self._settings.sigma**-2.0)
        precision[:n_classes] = self._settings.balance_sigma**-2.0

        def loss(parameters: F8) -> float:
            fit = (truth * log_softmax(features @ parameters)).sum(axis=1) @ counted
            return float(0.5 * precision @ (parameters - center) ** 2 - fit)

        found, least = center, loss(center)
        for _ in range(self._settings.max_rounds):
            slope, curve = _slope_and_curve(features, softmax(features @ found), truth, counted)
            slope += precision * (found - center)
            step = np.asarray(np.linalg.solve(curve + np.diag(precision), slope), np.float64)
            found, least, moved = _descend(loss, found, least, step)
            if moved < self._settings.tolerance:
                break
        stated[told] = found
        return stated[:n_classes], stated[n_classes:]


def _slope_and_curve(features: F8, proba: F8, truth: F8, counted: F8) -> tuple[F8, F8]:
    """Gradient (P,) and Hessian (P, P) of the log-loss at features (g, K, P) and probabilities (g, K)."""
    n_parameters = features.shape[2]
    slope = np.einsum("gk,gkp->p", (proba - truth) * counted[:, None], features)
    mean = np.einsum("gk,gkp->gp", proba, features)
    apart = (features - mean[:, None]).reshape(-1, n_parameters)
    spread = (proba * counted[:, None]).reshape(-1, 1)
    return slope, np.asarray(apart.T @ (apart * spread))


def _descend(loss: Callable[[F8], float], found: F8, least: float, step: F8) -> tuple[F8, float, float]:
    """Go a full step down, or a half, a quarter, ... where that is too far; the point, its loss, how far."""
    for _ in range(HALVINGS):
        lower = loss(found - step)
        if lower <= least:
            return found - step, lower, float(np.abs(step).max(initial=0))
        step = step / 2
    return found, least, 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Symbols:
    """Which weight each symbol that names a class carries, among all C symbols laid side by side.

    Attributes:
        column, named, weight: (c,) place of the symbol, class that it names, index of its weight.
        stated: (p,) weights before any gold.
    """

    column: I8
    named: I8
    weight: I8
    stated: F8
    n_columns: int

    @classmethod
    def of(cls, votes: Votes, n_classes: int, priors: Priors) -> "_Symbols":
        columns, named, weights, stated = [_NONE], [_NONE], [_NONE], [np.zeros(0)]
        begun = 0
        for start, key, size in zip(votes.offsets, votes.annotators, votes.n_symbols, strict=False):
            odds = priors.vote_odds(key, size, n_classes)
            per_class = size // n_classes if kind(key) in BINNED else 1
            speaking = np.arange(n_classes * per_class)
            columns.append(start + speaking)
            named.append(speaking // per_class)
            weights.append(begun + speaking % per_class)
            stated.append(odds[:per_class, 0])
            begun += per_class
        return cls(
            column=np.concatenate(columns),
            named=np.concatenate(named),
            weight=np.concatenate(weights),
            stated=np.concatenate(stated),
            n_columns=int(votes.offsets[-1]),
        )

    def table(self, weights: F8, n_classes: int) -> F8:
        """(C, K) what each symbol adds to each class."""
        table = np.zeros((self.n_columns, n_classes))
        table[self.column, self.named] = weights[self.weight]
        return table

    def features(self, votes: Votes, n_classes: int) -> F8:
        """(g, K, K + p) what each class's score grows by with each offset and weight."""
        features = np.zeros((votes.n_items, n_classes, n_classes + len(self.stated)))
        features[:, np.arange(n_classes), np.arange(n_classes)] = 1.0
        place = np.full(self.n_columns, -1)
        place[self.column] = np.arange(len(self.column))
        symbol = place[votes.columns]
        row, counted, symbol = votes.row[symbol >= 0], votes.weights[symbol >= 0], symbol[symbol >= 0]
        np.add.at(features, (row, self.named[symbol], n_classes + self.weight[symbol]), counted)
        return features


_NONE = np.empty(0, np.int64)
