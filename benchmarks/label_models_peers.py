"""Everybody who is measured: ours, snorkel, crowd-kit; each answers for several gold columns on one vote set.

Peers get gold the way they can. snorkel: the class balance. crowd-kit's Dawid-Skene: `true_labels`. GLAD,
MACE and the majority vote take none and are fitted once. Abstentions do not exist for crowd-kit.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.label_models_data import VoteSet
from models.arrays import F8, I8, UNKNOWN
from models.label_model.copies import only
from models.label_model.mixture import mixture_posterior
from models.label_model.priors import Priors
from models.label_model.registry import LABEL_MODELS
from models.label_model.snorkel_model import SnorkelLabelModel
from models.votes import CLASSIFIER, FUNCTION, Votes, kind

Answer = Callable[[VoteSet, Sequence[I8]], list[F8]]
"""Probabilities (n, K) with each gold column (n,). Raises ValueError where it cannot hold the votes."""


def ours(name: str) -> Answer:
    """A model of the registry."""

    def answer(votes: VoteSet, golds: Sequence[I8]) -> list[F8]:
        fitted = [
            LABEL_MODELS[name](Priors(), seed).fit(votes.votes, votes.n_classes, gold)
            for seed, gold in enumerate(golds)
        ]
        return [model.predict_proba(votes.votes) for model in fitted]

    return answer


def majority(votes: VoteSet, golds: Sequence[I8]) -> list[F8]:
    """Shares of the votes; even where nobody spoke."""
    row, said = _named(votes)
    counts = np.zeros((votes.votes.n_items, votes.n_classes))
    np.add.at(counts, (row, said), 1.0)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, counts / np.maximum(total, 1), 1 / votes.n_classes)
    return [shares] * len(golds)


def snorkel(votes: VoteSet, golds: Sequence[I8]) -> list[F8]:
    """Fitted once under even classes; gold gives the class balance of predictions. People are functions."""
    as_functions = _as_functions(votes)
    members = SnorkelLabelModel(Priors(), 0).fit_each(as_functions, votes.n_classes, golds)
    return [mixture_posterior([member], as_functions) for member in members]


def dawid_skene(votes: VoteSet, golds: Sequence[I8]) -> list[F8]:
    """crowd-kit's, with gold as `true_labels`."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    table = _long_table(votes)
    answers = []
    for gold in golds:
        known = np.intersect1d(np.flatnonzero(gold != UNKNOWN), table["task"])
        labels = pd.Series(gold[known], index=known) if len(known) else None
        answers.append(_probabilities(DawidSkene(n_iter=100).fit_predict_proba(table, labels), votes))
    return answers


def blind(name: str, **options: Any) -> Answer:
    """A model of crowd-kit that takes no gold: fitted once."""

    def answer(votes: VoteSet, golds: Sequence[I8]) -> list[F8]:
        from crowdkit import aggregation

        model = getattr(aggregation, name)(**options)
        return [_probabilities(model.fit_predict_proba(_long_table(votes)), votes)] * len(golds)

    return answer


PEERS: dict[str, Answer] = {
    "majority vote": majority,
    "snorkel": snorkel,
    "crowd-kit DS": dawid_skene,
}
SLOW_PEERS: dict[str, Answer] = {
    "crowd-kit GLAD": blind("GLAD", n_iter=50, silent=True),
    "crowd-kit MACE": blind("MACE", n_restarts=3, n_iter=50, random_state=0),
}
OURS: dict[str, Answer] = {name: ours(name) for name in ("dawid_skene", "hbcc", "weighted_vote", "pool")}


def _named(votes: VoteSet) -> tuple[I8, I8]:
    """Item and class of each vote that names a class."""
    own = votes.votes
    classifier = np.array([kind(key) == CLASSIFIER for key in own.annotators])[own.annotator]
    bins = np.array(own.n_symbols)[own.annotator] // votes.n_classes
    said = np.where(classifier, own.symbol // np.maximum(bins, 1), own.symbol)
    spoken = said < votes.n_classes
    return own.row[spoken], said[spoken]


def _as_functions(votes: VoteSet) -> Votes:
    """People as functions that abstain where they were not asked."""
    own = only(votes.votes, [kind(key) != CLASSIFIER for key in votes.votes.annotators])
    keys = tuple(key if kind(key) == FUNCTION else f"{FUNCTION}:{key}" for key in own.annotators)
    sizes = (votes.n_classes + 1,) * len(keys)
    return Votes(own.n_items, keys, sizes, own.row, own.annotator, own.symbol)


def _long_table(votes: VoteSet) -> Any:
    import pandas as pd

    own = votes.votes
    if len(own.annotators) < 2:
        raise ValueError("crowd-kit: it needs several annotators")
    spoken = own.symbol < votes.n_classes
    columns = {"task": own.row[spoken], "worker": own.annotator[spoken], "label": own.symbol[spoken]}
    return pd.DataFrame(columns)


def _probabilities(frame: Any, votes: VoteSet) -> F8:
    """(n, K); even for items without a vote and 0 for classes that nobody named."""
    found = np.full((votes.votes.n_items, votes.n_classes), 1 / votes.n_classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = frame.reindex(columns=range(votes.n_classes)).fillna(0.0)
    found[frame.index.to_numpy(np.int64)] = frame.to_numpy(np.float64)
    return found
