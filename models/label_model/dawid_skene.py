r"""Dawid-Skene: confusion tables by expectation maximization, with known labels held fixed.

$$P(y_i = k, votes_i) = \pi_k \prod_{(j, s) \in i} \theta_{j, s, k}$$

A. P. Dawid, A. M. Skene: Maximum likelihood estimation of observer error-rates using the EM algorithm.
Applied Statistics 28 (1979). Here every table has a Dirichlet prior (see `priors.py`), so that no
probability becomes 0 and an annotator with few votes stays near what is believed of its kind.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, clamped, softmax
from models.label_model.counts import Patterns, class_balance, merge, smoothed
from models.label_model.priors import Priors
from models.label_model.protocol import TableModel, check_gold
from models.votes import FUNCTION, Votes, kind


@dataclass(frozen=True, slots=True)
class DawidSkeneSettings:
    """How the model is fitted.

    Attributes:
        abstain_weight: what a function's silence counts beside a vote, 0 to 1. Silence says something (a
            one-class function would say nothing without it), but silences are far from independent.
        unlabeled_weight: what an item without a known label counts in the tables of functions, 0 to 1, where
            people and classifier take it in full. Functions err together, and would outvote the gold.
        balance_pseudo: items of each class added to the class balance.
        max_rounds: of expectation maximization at most.
        tolerance: stop when no probability moved by more.
    """

    abstain_weight: float = 0.3
    unlabeled_weight: float = 0.05
    balance_pseudo: float = 1.0
    max_rounds: int = 200
    tolerance: float = 1e-4


class DawidSkene(TableModel):
    """Semi-supervised Dawid-Skene over functions, classifier bins and people.

    Attributes:
        rounds: that the last fit took.
    """

    name = "dawid_skene"

    rounds: int

    def __init__(
        self,
        priors: Priors | None = None,
        seed: int = 0,  # noqa: ARG002 every model takes both
        settings: DawidSkeneSettings | None = None,
    ) -> None:
        self._priors = priors or Priors()
        self._settings = settings or DawidSkeneSettings()

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Start from the accuracy-weighted majority and alternate until nothing moves."""
        gold = check_gold(votes, n_classes, gold)
        asked = np.zeros(len(gold), np.bool_) if picked is None else picked & (gold != UNKNOWN)
        patterns = merge(votes, np.where(asked, gold + n_classes, gold), weight)
        known = np.where(patterns.mark >= n_classes, patterns.mark - n_classes, patterns.mark)
        trusted = (known != UNKNOWN) & (patterns.mark < n_classes)
        start = np.asarray(patterns.counts @ self._priors.stacked_odds(votes, n_classes))
        posterior = clamped(softmax(start), known)
        weights = self._symbol_weights(votes, n_classes)
        for self.rounds in range(1, self._settings.max_rounds + 1):  # noqa: B020 the last round is kept
            prior, tables = self._m_step(votes, patterns, posterior, weights, trusted)
            scores = prior + np.asarray(patterns.counts @ tables)
            updated = clamped(softmax(scores), known)
            moved = float(np.abs(updated - posterior).max(initial=0))
            posterior = updated
            if moved <= self._settings.tolerance:
                break
        self._prior, self._tables = prior, votes.split(tables)
        return self

    def _symbol_weights(self, votes: Votes, n_classes: int) -> F8:
        """(C, 1) what each symbol counts in the posterior."""
        weights = np.ones((int(votes.offsets[-1]), 1))
        for index, key in enumerate(votes.annotators):
            if kind(key) == FUNCTION:
                weights[votes.offsets[index] + n_classes] = self._settings.abstain_weight
        return weights

    def _m_step(
        self, votes: Votes, patterns: Patterns, posterior: F8, weights: F8, trusted: Mask
    ) -> tuple[F8, F8]:
        """Log prior (K,) and all tables (C, K) from soft labels of the patterns; `trusted` (u,) in full."""
        full = posterior * patterns.weight[:, None]
        cut = full * np.where(trusted, 1.0, self._settings.unlabeled_weight)[:, None]
        said, said_cut = (np.asarray(patterns.counts.T @ counted) for counted in (full, cut))
        balance = class_balance(full, self._settings.balance_pseudo)
        offsets = votes.offsets
        tables = np.empty_like(said)
        for index, key in enumerate(votes.annotators):
            span = slice(offsets[index], offsets[index + 1])
            believed = self._priors.confusion(key, said[span].sum(axis=1), balance)
            counted = said_cut if kind(key) == FUNCTION else said
            tables[span] = smoothed(counted[span], believed, self._priors.strength(key))
        return np.log(balance), tables * weights
