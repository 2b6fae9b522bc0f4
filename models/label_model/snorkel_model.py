"""snorkel's LabelModel beside annotators that it cannot hold.

A. Ratner et al.: Training complex models with multi-task weak supervision. AAAI 2019.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import numpy as np

from models.arrays import F8, I8, Mask, clamped, one_hot, softmax
from models.label_model.copies import only
from models.label_model.counts import class_balance, expected_tables
from models.label_model.priors import Priors
from models.label_model.protocol import Member, TableModel, check_gold, drawn_labels
from models.votes import ABSTAIN, FUNCTION, Votes, kind, log_scores

FEWEST_FUNCTIONS = 3
"""snorkel finds accuracies from triplets of functions."""

EPOCHS = 100
"""snorkel's own default; more made it worse (METHODS section 6)."""

MOST_ROWS = 20_000
"""About as many are made from rows that stand for several items."""

BALANCE_PSEUDO = 5.0
"""Gold answers of each class added to the class balance."""


class SnorkelLabelModel(TableModel):
    """snorkel weighs the functions; people and classifier get tables from counts under its posterior.

    As in snorkel, abstentions say nothing. Gold gives the class balance, and counts in the other tables.
    """

    name = "snorkel"

    def __init__(self, priors: Priors | None = None, seed: int = 0) -> None:
        self._priors = priors or Priors()
        self._seed = seed

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Fit snorkel on the functions, then the rest. Raises ValueError below three functions that vote."""
        gold = check_gold(votes, n_classes, gold)
        balance = _balance(gold, n_classes, picked)
        learned = self._function_tables(votes, balance, weight)
        self._prior, self._tables = np.log(balance), self._with_others(votes, learned, balance, gold, weight)
        return self

    def fit_each(
        self,
        votes: Votes,
        n_classes: int,
        golds: Sequence[I8],
        weight: F8 | None = None,
        picked: Mask | None = None,
    ) -> list[Member]:
        """As `fit`, but snorkel runs once, under even classes: gold enters the prior and the other tables."""
        learned = self._function_tables(votes, np.full(n_classes, 1 / n_classes), weight)
        members = []
        for gold in golds:
            checked = check_gold(votes, n_classes, gold)
            balance = _balance(checked, n_classes, picked)
            tables = self._with_others(votes, learned, balance, checked, weight)
            members.append(Member(self.name, np.log(balance), tables))
        return members

    def _function_tables(self, votes: Votes, balance: F8, weight: F8 | None) -> dict[str, F8]:
        """Function key -> (K + 1, K)."""
        n_classes = len(balance)
        speaking = speaking_functions(votes, n_classes)
        if len(speaking) < FEWEST_FUNCTIONS:
            raise ValueError(
                f"snorkel: {len(speaking)} functions vote here; its label model needs {FEWEST_FUNCTIONS}"
            )
        matrix = _expanded(dense_matrix(votes, speaking, n_classes), weight)
        learned = self._fit_snorkel(matrix, balance)
        tables = {
            key: np.zeros((n_classes + 1, n_classes)) for key in votes.annotators if kind(key) == FUNCTION
        }
        return tables | {votes.annotators[j]: table for j, table in zip(speaking, learned, strict=True)}

    def _fit_snorkel(self, matrix: I8, balance: F8) -> list[F8]:
        """(K + 1, K) log table of each function, abstention last."""
        with _own_randomness():
            from snorkel.labeling.model import LabelModel

            model = LabelModel(cardinality=len(balance), verbose=False, device="cpu")
            model.fit(
                matrix,
                class_balance=balance.tolist(),
                n_epochs=EPOCHS,
                seed=self._seed,
                progress_bar=False,
            )
        conditional = np.asarray(model.get_conditional_probs(), np.float64)
        tables = []
        for given_class in conditional:
            spoken = np.log(given_class[1:])
            tables.append(np.concatenate([spoken, np.zeros((1, len(balance)))]))
        return tables

    def _with_others(
        self, votes: Votes, tables: dict[str, F8], balance: F8, gold: I8, weight: F8 | None
    ) -> dict[str, F8]:
        """The functions' tables and those of everybody else."""
        others = np.array([kind(key) != FUNCTION for key in votes.annotators], np.bool_)
        if not others.any():
            return tables
        posterior = clamped(softmax(log_scores(only(votes, ~others), np.log(balance), tables)), gold)
        return tables | expected_tables(votes, posterior, self._priors, weight, only=others)


def _balance(gold: I8, n_classes: int, picked: Mask | None) -> F8:
    return class_balance(one_hot(gold[drawn_labels(gold, picked)], n_classes), BALANCE_PSEUDO)


def speaking_functions(votes: Votes, n_classes: int) -> I8:
    """Indices of the functions that vote at least once."""
    functions = np.array([kind(key) == FUNCTION for key in votes.annotators], np.bool_)
    voting = np.unique(votes.annotator[functions[votes.annotator] & (votes.symbol < n_classes)])
    return np.asarray(voting, np.int64)


def _expanded(matrix: I8, weight: F8 | None) -> I8:
    """Rows repeated as often as they count, for snorkel takes no weights."""
    if weight is None:
        return matrix
    scale = min(1.0, MOST_ROWS / max(weight.sum(), 1.0))
    return np.repeat(matrix, np.ceil(weight * scale).astype(np.int64), axis=0)


def dense_matrix(votes: Votes, annotators: I8, n_classes: int) -> I8:
    """(n, m) class or ABSTAIN of chosen functions; where one voted twice on an item, the last vote."""
    place = np.full(len(votes.annotators), -1, np.int64)
    place[annotators] = np.arange(len(annotators))
    chosen = place[votes.annotator] >= 0
    matrix = np.full((votes.n_items, len(annotators)), ABSTAIN, np.int64)
    symbols = votes.symbol[chosen]
    matrix[votes.row[chosen], place[votes.annotator[chosen]]] = np.where(
        symbols == n_classes, ABSTAIN, symbols
    )
    return matrix


@contextmanager
def _own_randomness() -> Iterator[None]:
    """snorkel seeds global generators, and its imports draw from them; give all back as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        import torch

        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
