"""What every label model can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, softmax
from models.votes import Votes, log_scores


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One set of tables in a mixture: weight * softmax(temperature * (prior + table rows of the votes)).

    Attributes:
        name: registry name of the model that made it, with what sets it apart: `hbcc(lam=0.1)`.
        prior: (K,) log-probabilities.
        tables: annotator key -> (S, K) log-likelihoods of its symbols, up to a constant a row.
        temperature: above 0. weight: above 0; those of a mixture sum to 1.
    """

    name: str
    prior: F8
    tables: Mapping[str, F8]
    temperature: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A fitted label model with its cross-validated twins.

    Attributes:
        members: fitted on everything; temperatures and weights from predictions for judged items by models
            that did not know the item's label.
        held: for each fold, members that know no gold label of that fold: neither their tables nor their
            temperatures and weights.
    """

    members: tuple[Member, ...]
    held: tuple[tuple[Member, ...], ...]


class LabelModel(Protocol):
    """Turns the votes of annotators of unknown quality into probabilities of the classes.

    A fitted model is a mixture of priors and tables (of one member, for all but the pool): the members alone
    reproduce `predict_proba`.
    """

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Learn from votes on n items.

        Args:
            votes: on n items.
            n_classes: K, at least 2.
            gold: (n,) known label of an item or -1.
            weight: (n,) how many equal items each one stands for; 1 when not given.
            picked: (n,) items whose label is known because of what was said of them: doubtful ones, on
                which everybody looks worse than he is. None when known labels came from a random draw.
        """

    def predict_proba(self, votes: Votes) -> F8:
        """(n, K) probabilities by votes alone; whether an item's label is known plays no part."""

    def members(self) -> tuple[Member, ...]:
        """What the fitted model consists of."""


class TableModel:
    """A fitted label model's prior and tables, with the prediction that follows from them.

    Attributes:
        name: as the registry calls it.
    """

    name: str
    _prior: F8
    _tables: dict[str, F8]

    def predict_proba(self, votes: Votes) -> F8:
        """(n, K) probabilities by votes alone. Raises ValueError for annotators never seen in fit."""
        prior, tables = self.symbol_likelihoods()
        if unseen := [key for key in votes.annotators if key not in tables]:
            raise ValueError(f"label model: fit knew no votes of {', '.join(unseen)}")
        return softmax(log_scores(votes, prior, tables))

    def symbol_likelihoods(self) -> tuple[F8, Mapping[str, F8]]:
        """Prior log-probabilities (K,), and annotator key -> (S, K) log-likelihoods of its symbols."""
        if not hasattr(self, "_prior"):
            raise ValueError("label model: fit it first")
        return self._prior, self._tables

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Learn prior and tables; see `LabelModel.fit`."""
        raise NotImplementedError

    def fit_each(
        self,
        votes: Votes,
        n_classes: int,
        golds: Sequence[I8],
        weight: F8 | None = None,
        picked: Mask | None = None,
    ) -> list[Member]:
        """The member that `fit` gives with each of several gold columns (n,) on the same votes."""
        return [self.fit(votes, n_classes, gold, weight, picked).members()[0] for gold in golds]

    def members(self) -> tuple[Member, ...]:
        """The one member."""
        prior, tables = self.symbol_likelihoods()
        return (Member(self.name, prior, tables),)


def drawn_labels(gold: I8, picked: Mask | None) -> Mask:
    """(n,) items whose known label came from a random draw."""
    known: Mask = gold != UNKNOWN
    return known if picked is None else known & ~picked


def check_gold(votes: Votes, n_classes: int, gold: I8) -> I8:
    """Gold labels as int64; raises ValueError when they do not fit the votes."""
    labels = np.asarray(gold, np.int64)
    if labels.shape != (votes.n_items,):
        raise ValueError(f"gold: shape {labels.shape}, expected one label for each of {votes.n_items} items")
    if labels.size and not -1 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(f"gold: labels run from {labels.min()} to {labels.max()} with {n_classes} classes")
    return labels
