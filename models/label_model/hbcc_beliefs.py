"""The Dirichlets of HBCC over class balance and tables, and their update by the items' posterior."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.arrays import F8, I8, Mask
from models.label_model.counts import Patterns
from models.label_model.priors import Priors, function_confusions
from models.votes import CLASSIFIER, FUNCTION, TIER, Votes, family, kind

LEAST_MASS = 0.5
"""Of every symbol in a prior table. Below it E log theta runs away as -1/mass: the first vote that a seldom
function casts would then outweigh everybody else's."""


@dataclass(frozen=True, slots=True)
class HBCCSettings:
    """How the model is fitted.

    Attributes:
        lam: what an item without a known label, or with a picked one, counts in the tables of functions and
            classifier and in the class balance beside them, 0 to 1. Functions err together, and would outvote
            the gold; the classifier learned from their votes, and agrees with them whether they are right
            or not.
        people_lam: the same for the tables of people, and for the balance without functions.
        abstain_weight: what a function's silence counts beside a vote, 0 to 1.
        one_coin: a person is right equally often whatever the class, and wrong in no particular way.
        balance_pseudo: items of each class added to the class balance (beta).
        group_strength: how many votes a class the prior of a group's mean table is worth.
        fewest_in_group: people of one tier that share a mean; fewer keep the prior of their tier.
        max_rounds: of variational updates at most.
        tolerance: stop when no probability moved by more.
    """

    lam: float = 0.01
    people_lam: float = 1.0
    abstain_weight: float = 0.3
    one_coin: bool = False
    balance_pseudo: float = 1.0
    group_strength: float = 20.0
    fewest_in_group: int = 3
    max_rounds: int = 200
    tolerance: float = 1e-4


class Beliefs:
    """What B runs believe of C symbols and K classes; `trusted` (B, u) items count in full in a run."""

    def __init__(
        self, patterns: Patterns, n_classes: int, trusted: Mask, priors: Priors, settings: HBCCSettings
    ) -> None:
        votes = patterns.votes
        self._settings, self._offsets = settings, votes.offsets
        self._totals = np.asarray(patterns.counts.T @ patterns.weight)
        self._strength = _per_symbol(votes, [priors.strength(key) for key in votes.annotators])[:, None]
        functions = np.array([kind(key) == FUNCTION for key in votes.annotators], np.bool_)
        machines = functions | np.array([kind(key) == CLASSIFIER for key in votes.annotators], np.bool_)
        of_machines = np.repeat(machines, votes.n_symbols)
        self._parts = [
            _Part(patterns, of_machines, trusted, settings.lam),
            _Part(patterns, ~of_machines, trusted, settings.people_lam),
        ]
        self._balancing = self._parts[0 if functions.any() else 1]
        self._functions = _columns(votes, np.flatnonzero(functions))
        self._groups = _groups(votes, settings.fewest_in_group)
        self._people = _tiers(votes) if settings.one_coin else []
        self._silence = np.ones((int(self._offsets[-1]), 1, 1))
        self._silence[self._functions[:, n_classes:]] = settings.abstain_weight
        even = np.full(n_classes, 1 / n_classes)
        stated = [
            priors.confusion(key, self._totals[span], even)
            for key, span in zip(votes.annotators, votes.spans, strict=True)
        ]
        self._stated = np.concatenate([np.zeros((0, n_classes)), *stated])[:, None]
        self._mean = np.repeat(self._stated, len(trusted), axis=1)

    def keep(self, runs: Mask) -> None:
        """Forget all other runs."""
        if not runs.all():
            self._mean = self._mean[:, runs]
            for part in self._parts:
                part.item_weight = part.item_weight[:, runs]

    def update(self, posterior: F8) -> tuple[F8, F8]:
        """E log pi (B, K) and weighted E log theta (C, B, K) from the patterns' posterior (u, B, K)."""
        from scipy.special import digamma

        counted = self._balancing.item_weight
        mass = np.einsum("ub,ubk->bk", counted, posterior) + self._settings.balance_pseudo
        said = np.empty_like(self._mean)
        for part in self._parts:
            if part.columns.any():
                said[part.columns] = part.said(posterior)
        for columns in self._people:
            said[columns] = _one_coin(said[columns])
        self._learn_means(said, mass / mass.sum(axis=1, keepdims=True))
        alpha = np.maximum(self._strength * self._mean, LEAST_MASS) + said
        sums = np.add.reduceat(alpha, self._offsets[:-1], axis=0) if len(alpha) else alpha
        tables = digamma(alpha) - np.repeat(digamma(sums), np.diff(self._offsets), axis=0)
        return digamma(mass) - digamma(mass.sum(axis=1, keepdims=True)), tables * self._silence

    def _learn_means(self, said: F8, balance: F8) -> None:
        """Functions' prior tables follow the class balance, those of people their group.

        The mean of a group by the fixed point of T. Minka: Estimating a Dirichlet distribution (2000), in
        which the thousandth vote of one person weighs far less than the first of another.
        """
        from scipy.special import digamma

        if len(self._functions):
            self._mean[self._functions] = function_confusions(self._totals[self._functions], balance)
        for columns in self._groups:
            share = np.maximum(self._strength[columns] * self._mean[columns], 1e-6)
            learned = (share * (digamma(share + said[columns]) - digamma(share))).sum(axis=0)
            mean = learned + self._settings.group_strength * self._stated[columns[0]]
            self._mean[columns] = mean / mean.sum(axis=0)


class _Part:
    """Symbols of annotators that take unlabeled items with one weight, and their expected counts.

    Attributes:
        columns: (C,) which symbols. item_weight: (u, B).
    """

    def __init__(self, patterns: Patterns, columns: Mask, trusted: Mask, lam: float) -> None:
        self.columns = columns
        self.item_weight = patterns.weight[:, None] * np.where(trusted, 1.0, lam).T
        self._transposed: Any = patterns.counts[:, np.flatnonzero(columns)].T.tocsr()

    def said(self, posterior: F8) -> F8:
        """(c, B, K) how often each symbol is expected to have been said on items of each class."""
        n_items, *runs_and_classes = posterior.shape
        counted = (posterior * self.item_weight[:, :, None]).reshape(n_items, np.prod(runs_and_classes))
        return np.asarray(self._transposed @ counted).reshape(-1, *runs_and_classes)


def _one_coin(said: F8) -> F8:
    """(J, K, B, K) counts of people when being right is one coin, tossed alike in every class."""
    n_classes = said.shape[1]
    right = np.einsum("jkbk->jb", said)
    wrong = (said.sum(axis=(1, 3)) - right) / (n_classes - 1)
    hit = np.eye(n_classes)[None, :, None]
    return np.asarray(hit * right[:, None, :, None] + (1 - hit) * wrong[:, None, :, None])


def _per_symbol(votes: Votes, values: list[float]) -> F8:
    """(C, 1) each annotator's value, once for each of its symbols."""
    return np.repeat(np.asarray(values, np.float64), votes.n_symbols)[:, None]


def _columns(votes: Votes, annotators: I8) -> I8:
    """(J, S) columns of annotators that have equally many symbols."""
    size = votes.n_symbols[annotators[0]] if len(annotators) else 0
    return np.asarray(votes.offsets[annotators][:, None] + np.arange(size), np.int64)


def _groups(votes: Votes, fewest: int) -> list[I8]:
    """(J, S) columns of each group: annotators of one tier that speak in the same symbols."""
    members: dict[tuple[str, int], list[int]] = {}
    for index, (key, size) in enumerate(zip(votes.annotators, votes.n_symbols, strict=True)):
        if kind(key) == TIER:
            members.setdefault((family(key), size), []).append(index)
    return [_columns(votes, np.array(group)) for group in members.values() if len(group) >= fewest]


def _tiers(votes: Votes) -> list[I8]:
    """(J, K) columns of all people, if there are any."""
    people = [index for index, key in enumerate(votes.annotators) if kind(key) == TIER]
    return [_columns(votes, np.array(people))] if people else []
