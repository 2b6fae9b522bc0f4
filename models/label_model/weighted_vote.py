r"""Weighted vote: a discriminative model of the known labels, blind to how the votes came about.

$$P(y_i = k \mid votes_i) \propto \exp(b_k + \sum_j w_j 1[v_{ij} = k]), \quad
  w_j \sim N(\text{log-odds of its stated accuracy}, \sigma^2), \quad b_k \sim N(0, \sigma_b^2)$$

The most probable weights given the gold, a multinomial logistic regression with shared weights (D. McFadden:
Conditional logit analysis of qualitative choice behavior, 1974). Given enough gold, copies of one annotator
share the weight that it would get alone; models of how votes arise count each copy as new evidence. With
little gold and a small sigma copies keep their prior weights, and are still counted too often.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, log_softmax, one_hot
from models.label_model.counts import Patterns, merge
from models.label_model.priors import Priors
from models.label_model.protocol import TableModel, check_gold
from models.votes import CLASSIFIER, Votes, kind


@dataclass(frozen=True, slots=True)
class WeightedVoteSettings:
    """How the model is fitted.

    Attributes:
        sigma: how far a weight may stray from its prior, in log-odds; above 0.
        balance_sigma: how far a class's offset may stray from 0, in log-odds; above 0.
        fewest_gold: below this number of known labels nothing is learned, and the model is the
            accuracy-weighted majority.
        max_rounds: of L-BFGS at most.
    """

    sigma: float = 0.6
    balance_sigma: float = 1.0
    fewest_gold: int = 10
    max_rounds: int = 500


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

    def fit(self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None) -> Self:
        """Find the most probable weights of these annotators and offsets of the classes."""
        gold = check_gold(votes, n_classes, gold)
        symbols = _Symbols.of(votes, n_classes, self._priors)
        offsets, weights = np.zeros(n_classes), symbols.stated
        known = gold != UNKNOWN
        if known.sum() >= self._settings.fewest_gold:
            counted = None if weight is None else weight[known]
            patterns = merge(votes.take(known), gold[known], counted)
            offsets, weights = self._learned(patterns, symbols, n_classes)
        self._prior = log_softmax(offsets[None])[0]
        self._tables = votes.split(symbols.table(weights, n_classes))
        return self

    def _learned(self, patterns: Patterns, symbols: "_Symbols", n_classes: int) -> tuple[F8, F8]:
        """Offsets (K,) and weights (p,) that minimize the penalized log-loss, which is convex."""
        from scipy.optimize import minimize

        counts: Any = patterns.counts
        truth = one_hot(patterns.mark, n_classes)
        center = np.concatenate([np.zeros(n_classes), symbols.stated])
        spread = np.full(len(center), self._settings.sigma)
        spread[:n_classes] = self._settings.balance_sigma

        def loss(parameters: F8) -> tuple[float, F8]:
            strayed = (parameters - center) / spread
            tables = symbols.table(parameters[n_classes:], n_classes)
            log_proba = log_softmax(parameters[:n_classes] + np.asarray(counts @ tables))
            error = (np.exp(log_proba) - truth) * patterns.weight[:, None]
            slope = np.concatenate([error.sum(axis=0), symbols.gather(np.asarray(counts.T @ error))])
            fit = -float((patterns.weight[:, None] * truth * log_proba).sum())
            return fit + 0.5 * float(strayed @ strayed), slope + strayed / spread

        tight = {"maxiter": self._settings.max_rounds, "ftol": 1e-13, "gtol": 1e-8}
        found = np.asarray(minimize(loss, center, jac=True, method="L-BFGS-B", options=tight).x)
        return found[:n_classes], found[n_classes:]


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
            per_class = size // n_classes if kind(key) == CLASSIFIER else 1
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

    def gather(self, slopes: F8) -> F8:
        """(p,) slopes of the weights from those of the table's entries (C, K)."""
        gathered = np.bincount(self.weight, slopes[self.column, self.named], len(self.stated))
        return gathered.astype(np.float64)


_NONE = np.empty(0, np.int64)
