r"""HBCC: Bayesian combination of annotators whose confusion tables share group priors, semi-supervised.

$$\pi \sim Dir(\beta), \quad \theta_{jk} \sim Dir(s_g M_{jk}), \quad
  q_i(k) \propto \exp(E \log \pi_k + \sum_{(j, s) \in i} w_s E \log \theta_{jks})$$

H.-C. Kim, Z. Ghahramani: Bayesian classifier combination. AISTATS 2012. The variational updates follow
E. Simpson, S. Roberts, I. Psorakis, A. Smith: Dynamic Bayesian combination of multiple imperfect
classifiers. Decision Making and Imperfection, Springer 2013.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, clamped, softmax
from models.label_model.counts import Patterns, merge
from models.label_model.priors import Priors
from models.label_model.protocol import TableModel, check_gold
from models.votes import FUNCTION, Votes, family, kind

LEAST_MASS = 0.5
"""Of every symbol in a prior table. Below it E log theta runs away as -1/mass: the first vote that a seldom
function casts would then outweigh everybody else's."""


@dataclass(frozen=True, slots=True)
class HBCCSettings:
    """How the model is fitted.

    Attributes:
        lam: what an item without a known label counts in the tables of functions and in the class balance
            beside them, 0 to 1. Functions err together, and would outvote the gold.
        people_lam: the same for the tables of people and classifier, and for the balance without functions.
        abstain_weight: what a function's silence counts beside a vote, 0 to 1.
        balance_pseudo: items of each class added to the class balance (beta).
        group_strength: how many votes a class the prior of a group's mean table is worth.
        fewest_in_group: people of one tier that share a mean; fewer keep the prior of their tier.
        max_rounds: of variational updates at most.
        tolerance: stop when no probability moved by more.
    """

    lam: float = 0.01
    people_lam: float = 1.0
    abstain_weight: float = 0.3
    balance_pseudo: float = 1.0
    group_strength: float = 20.0
    fewest_in_group: int = 3
    max_rounds: int = 200
    tolerance: float = 1e-4


class HBCC(TableModel):
    """Hierarchical Bayesian classifier combination over functions, classifier bins and people.

    Beside Dawid-Skene it averages over what is not known of an annotator instead of taking the likeliest
    table, and people of one tier (`tier:crowd@w1`, `tier:crowd@w2`, ...) lend each other strength: their
    tables are pulled to a mean learned from all of them.

    Attributes:
        rounds: that the last fit took.
    """

    name = "hbcc"

    rounds: int

    def __init__(
        self,
        priors: Priors | None = None,
        seed: int = 0,  # noqa: ARG002 every model takes both
        settings: HBCCSettings | None = None,
    ) -> None:
        self._priors = priors or Priors()
        self._settings = settings or HBCCSettings()

    def fit(self, votes: Votes, n_classes: int, gold: I8) -> Self:
        """Start from the accuracy-weighted majority and alternate until nothing moves."""
        gold = check_gold(votes, n_classes, gold)
        patterns = merge(votes, gold)
        start = np.asarray(patterns.counts @ self._vote_odds(votes, n_classes))
        posterior = clamped(softmax(start), patterns.gold)
        beliefs = _Beliefs(votes, patterns, n_classes, self._priors, self._settings)
        for self.rounds in range(1, self._settings.max_rounds + 1):  # noqa: B020 the last round is kept
            prior, tables = beliefs.update(posterior)
            scores = prior + np.asarray(patterns.counts @ tables)
            updated = clamped(softmax(scores), patterns.gold)
            moved = float(np.abs(updated - posterior).max(initial=0))
            posterior = updated
            if moved <= self._settings.tolerance:
                break
        self._prior = prior
        self._tables = dict(zip(votes.annotators, np.split(tables, votes.offsets[1:-1]), strict=False))
        return self

    def _vote_odds(self, votes: Votes, n_classes: int) -> F8:
        """(C, K) log-odds of all annotators' symbols, side by side."""
        sizes = zip(votes.annotators, votes.n_symbols, strict=True)
        odds = [self._priors.vote_odds(key, size, n_classes) for key, size in sizes]
        return np.concatenate([np.zeros((0, n_classes)), *odds])


class _Beliefs:
    """The Dirichlets over class balance and tables, and their update by the items' posterior."""

    def __init__(
        self, votes: Votes, patterns: Patterns, n_classes: int, priors: Priors, settings: HBCCSettings
    ) -> None:
        self._settings, self._priors = settings, priors
        self._keys, self._offsets = votes.annotators, votes.offsets
        self._totals = np.asarray(patterns.counts.T @ patterns.weight)
        self._strength = _per_symbol(votes, [priors.strength(key) for key in votes.annotators])
        functions = [kind(key) == FUNCTION for key in votes.annotators]
        of_functions = _per_symbol(votes, functions).ravel() > 0
        unlabeled = patterns.gold == UNKNOWN
        self._parts = [
            _Part(patterns, of_functions, np.where(unlabeled, settings.lam, 1.0)),
            _Part(patterns, ~of_functions, np.where(unlabeled, settings.people_lam, 1.0)),
        ]
        self._balance_weight = self._parts[0 if any(functions) else 1].item_weight
        self._functions = [index for index, is_function in enumerate(functions) if is_function]
        self._groups = _groups(votes, settings.fewest_in_group)
        self._silence = np.ones((int(self._offsets[-1]), 1))
        self._silence[self._offsets[self._functions] + n_classes] = settings.abstain_weight
        even = np.full(n_classes, 1 / n_classes)
        self._stated = np.concatenate(
            [np.zeros((0, n_classes)), *(self._confusion(index, even) for index in range(len(self._keys)))]
        )
        self._mean = self._stated.copy()

    def update(self, posterior: F8) -> tuple[F8, F8]:
        """E log pi (K,) and weighted E log theta (C, K) from the patterns' posterior."""
        from scipy.special import digamma

        mass = self._balance_weight @ posterior + self._settings.balance_pseudo
        said = np.empty((int(self._offsets[-1]), posterior.shape[1]))
        for part in self._parts:
            said[part.columns] = part.said(posterior)
        self._learn_means(said, mass / mass.sum())
        alpha = np.maximum(self._strength * self._mean, LEAST_MASS) + said
        sums = np.add.reduceat(alpha, self._offsets[:-1], axis=0) if len(alpha) else alpha
        tables = digamma(alpha) - np.repeat(digamma(sums), np.diff(self._offsets), axis=0)
        return digamma(mass) - digamma(mass.sum()), tables * self._silence

    def _learn_means(self, said: F8, balance: F8) -> None:
        """Functions' prior tables follow the class balance, those of people their group.

        The mean of a group by the fixed point of T. Minka: Estimating a Dirichlet distribution (2000), in
        which the thousandth vote of one person weighs far less than the first of another.
        """
        from scipy.special import digamma

        for index in self._functions:
            self._mean[self._span(index)] = self._confusion(index, balance)
        for columns in self._groups:
            share = np.maximum(self._strength[columns] * self._mean[columns], 1e-6)
            learned = (share * (digamma(share + said[columns]) - digamma(share))).sum(axis=0)
            mean = learned + self._settings.group_strength * self._stated[columns[0]]
            self._mean[columns] = mean / mean.sum(axis=0)

    def _confusion(self, index: int, balance: F8) -> F8:
        return self._priors.confusion(self._keys[index], self._totals[self._span(index)], balance)

    def _span(self, index: int) -> slice:
        return slice(self._offsets[index], self._offsets[index + 1])


class _Part:
    """Symbols of annotators that take unlabeled items with one weight, and their expected counts."""

    def __init__(self, patterns: Patterns, columns: Mask, unlabeled: F8) -> None:
        self.columns = columns
        self.item_weight = patterns.weight * unlabeled
        self._transposed: Any = patterns.counts[:, np.flatnonzero(columns)].T.tocsr()

    def said(self, posterior: F8) -> F8:
        """How often each symbol is expected to have been said on items of each class."""
        return np.asarray(self._transposed @ (posterior * self.item_weight[:, None]))


def _per_symbol(votes: Votes, values: list[float] | list[bool]) -> F8:
    """(C, 1) each annotator's value, once for each of its symbols."""
    return np.repeat(np.asarray(values, np.float64), votes.n_symbols)[:, None]


def _groups(votes: Votes, fewest: int) -> list[I8]:
    """(J, S) columns of each group: annotators of one tier that speak in the same symbols."""
    members: dict[tuple[str, int], list[int]] = {}
    for index, (key, size) in enumerate(zip(votes.annotators, votes.n_symbols, strict=True)):
        if kind(key) == "tier":
            members.setdefault((family(key), size), []).append(index)
    offsets = votes.offsets
    return [
        np.asarray(offsets[group][:, None] + np.arange(size))
        for (_, size), group in members.items()
        if len(group) >= fewest
    ]
