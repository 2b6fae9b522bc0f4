"""What the demo's language model is worth: the posterior of what it answered, with it and without."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.core.assembling import assemble_facets
from daemon.wiring import parts
from daemon.wiring.config import Config
from models.arrays import F8, I8
from models.bundle import Bundle
from models.evaluation import log_loss
from models.label_model.copies import only
from models.training import predict
from models.votes import LLM, Votes, kind


@dataclass(frozen=True, slots=True)
class Worth:
    """Figures on the items that a language model answered: mean log-loss of the truth, share right.

    Attributes:
        answers: of language models; right: share of them that are.
        loss, share: of the posterior of all votes but experts'. loss_without, share_without: without it.
    """

    answers: int
    right: float
    loss: float
    share: float
    loss_without: float
    share_without: float


def worth(config: Config, database: Database, truth: Mapping[str, str]) -> Worth | None:
    """By the bundle in use, against the truth; None without a bundle or an answer."""
    room = LearningRoom(database)
    stored, rows = room.current_bundle(None), room.training_rows(config.learning.max_items)
    if stored is None:
        return None
    (data,), bundle = assemble_facets(rows, parts.policy(config), stored), Bundle.from_bytes(stored.data)
    models = np.array([kind(key) == LLM for key in data.votes.annotators], np.bool_)
    said = models[data.votes.annotator]
    answered = np.unique(data.votes.row[said])
    if not len(answered):
        return None
    known = np.array([config.task.classes.index(truth[rows.ids[row]]) for row in answered])
    labels = _labels(data.votes, len(config.task.classes))[said]
    with_it = predict(bundle, data, answered)
    without = predict(bundle, replace(data, votes=only(data.votes, ~models)), answered)
    place = np.searchsorted(answered, data.votes.row[said])
    return Worth(
        answers=int(said.sum()),
        right=float((labels == known[place]).mean()),
        loss=float(log_loss(with_it, known).mean()),
        share=_right(with_it, known),
        loss_without=float(log_loss(without, known).mean()),
        share_without=_right(without, known),
    )


def _labels(votes: Votes, n_classes: int) -> I8:
    """(v,) class that each vote of label and bin names."""
    return np.asarray(votes.symbol // (np.array(votes.n_symbols)[votes.annotator] // n_classes))


def _right(posterior: F8, truth: I8) -> float:
    return float((posterior.argmax(axis=1) == truth).mean())
