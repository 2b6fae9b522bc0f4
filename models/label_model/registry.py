"""Label models by the name that configurations use."""

from collections.abc import Callable

from models.label_model.dawid_skene import DawidSkene
from models.label_model.hbcc import HBCC
from models.label_model.majority import MajorityVote
from models.label_model.pool import Pool
from models.label_model.priors import Priors
from models.label_model.protocol import LabelModel
from models.label_model.snorkel_model import SnorkelLabelModel
from models.label_model.weighted_vote import WeightedVote

LABEL_MODELS: dict[str, Callable[[Priors, int], LabelModel]] = {
    "majority": MajorityVote,
    "dawid_skene": DawidSkene,
    "snorkel": SnorkelLabelModel,
    "hbcc": HBCC,
    "weighted_vote": WeightedVote,
    "pool": Pool,
}
"""Name -> makes a model from priors and a seed. To add one: a file beside this, a line here, its tests."""
