"""snorkel's LabelModel beside annotators that it cannot hold.

A. Ratner et al.: Training complex models with multi-task weak supervision. AAAI 2019.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, clamped, one_hot, softmax
from models.label_model.counts import class_balance, expected_tables
from models.label_model.priors import Priors
from models.label_model.protocol import TableModel, check_gold
from models.votes import ABSTAIN, FUNCTION, Votes, kind, log_scores

FEWEST_FUNCTIONS = 3
"""snorkel finds accuracies from triplets of functions."""

EPOCHS = 100
"""snorkel's own default; more made it worse (METHODS section 6)."""

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

    def fit(self, votes: Votes, n_classes: int, gold: I8) -> Self:
        """Fit snorkel on the functions, then the rest. Raises ValueError below three functions that vote."""
        gold = check_gold(votes, n_classes, gold)
        functions = np.array([kind(key) == FUNCTION for key in votes.annotators], np.bool_)
        matrix = dense_matrix(votes, np.flatnonzero(functions), n_classes)
        speaking = (matrix != ABSTAIN).any(axis=0)
        if speaking.sum() < FEWEST_FUNCTIONS:
            raise ValueError(
                f"snorkel: {speaking.sum()} functions vote here; its label model needs {FEWEST_FUNCTIONS}"
            )
        balance = class_balance(one_hot(gold[gold != UNKNOWN], n_classes), BALANCE_PSEUDO)
        self._prior = np.log(balance)
        learned = iter(self._fit_snorkel(matrix[:, speaking], balance))
        self._tables = {}
        for index, speaks in zip(np.flatnonzero(functions), speaking, strict=True):
            self._tables[votes.annotators[index]] = (
                next(learned) if speaks else np.zeros((n_classes + 1, n_classes))
            )
        self._add_others(votes, functions, gold)
        return self

    def _fit_snorkel(self, matrix: I8, balance: F8) -> list[F8]:
        """(K + 1, K) log table of each function, abstention last."""
        from snorkel.labeling.model import LabelModel

        with _own_randomness():
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

    def _add_others(self, votes: Votes, functions: np.ndarray[Any, Any], gold: I8) -> None:
        if functions.all():
            return
        own = np.isin(votes.annotator, np.flatnonzero(functions))
        index = np.cumsum(functions) - 1
        of_functions = Votes(
            n_items=votes.n_items,
            annotators=tuple(k for k, own_ in zip(votes.annotators, functions, strict=True) if own_),
            n_symbols=tuple(s for s, own_ in zip(votes.n_symbols, functions, strict=True) if own_),
            row=votes.row[own],
            annotator=index[votes.annotator[own]],
            symbol=votes.symbol[own],
        )
        posterior = clamped(softmax(log_scores(of_functions, self._prior, self._tables)), gold)
        self._tables |= expected_tables(votes, posterior, self._priors, only=~functions)


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
    """snorkel seeds every global generator; give them back as they were."""
    import torch

    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
