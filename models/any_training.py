"""Training data of either kind of task, and what a bundle makes of it."""

import numpy as np

from models.arrays import F8, I8
from models.bundle import Bundle
from models.bundles import AnyBundle
from models.set_training import SetData
from models.training import Candidate, Say, TrainingData, TrainingOptions, predict, train

AnyData = TrainingData | SetData


def predict_any(bundle: AnyBundle, data: AnyData, rows: I8) -> F8:
    """(r, F * K) posterior of a bundle on some items, as a worker would have it before any expert spoke."""
    facets = data.facets if isinstance(data, SetData) else (data,)
    each = [predict(part, facet, rows) for part, facet in zip(bundle.parts, facets, strict=True)]
    return np.concatenate(each, axis=1)


def train_any(data: AnyData, options: TrainingOptions, champion: AnyBundle | None, say: Say) -> Candidate:
    """A candidate from data of either kind of task. Raises ValueError when the champion is of the other."""
    if not isinstance(data, SetData) and (champion is None or isinstance(champion, Bundle)):
        return train(data, options, champion, say)
    raise ValueError("training: data and champion are of different kinds of tasks")
