"""Training of either kind of task, and what a bundle makes of its data."""

from models.arrays import F8, I8
from models.bundle import Bundle
from models.bundles import AnyBundle
from models.set_bundle import SetBundle
from models.set_training import SetData, predict_parts, train_sets
from models.training import Candidate, Say, TrainingData, TrainingOptions, train

AnyData = TrainingData | SetData
AnyCandidate = Candidate[Bundle] | Candidate[SetBundle]


def predict_any(bundle: AnyBundle, data: AnyData, rows: I8) -> F8:
    """(r, F * K) posterior of a bundle on some items, as a worker would have it before any expert spoke."""
    return predict_parts(bundle.parts, data.facets, rows)


def train_any(data: AnyData, options: TrainingOptions, champion: AnyBundle | None, say: Say) -> AnyCandidate:
    """A candidate from data of either kind of task. Raises ValueError when the champion is of the other."""
    if isinstance(data, SetData) and not isinstance(champion, Bundle):
        return train_sets(data, options, champion, say)
    if isinstance(data, TrainingData) and not isinstance(champion, SetBundle):
        return train(data, options, champion, say)
    raise ValueError("training: data and champion are of different kinds of tasks")
