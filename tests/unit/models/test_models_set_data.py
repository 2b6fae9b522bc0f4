"""What is known of items with any number of classes: whole labels, and columns that must agree."""

from dataclasses import replace

import numpy as np
import pytest

from models.set_training import SetData
from models.training import TrainingData
from models.votes import Votes

CLASSES = ("billing", "praise")


def facet(expert: list[int], **changes: object) -> TrainingData:
    n = len(expert)
    data = TrainingData(
        classes=("no", "yes"),
        votes=Votes.from_dense(np.full((n, 1), -1), ("function:f@1",), 2),
        expert=np.array(expert),
        audited=np.array(expert) >= 0,
        fresh=np.zeros(n, np.bool_),
        vectors=np.ones((n, 3), np.float32),
        groups=np.arange(n),
        tier_accuracy={"crowd": 0.9},
        encoder="tiny",
    )
    return replace(data, **changes)  # type: ignore[arg-type]


def test_the_whole_label_has_a_bit_for_each_class() -> None:
    data = SetData(CLASSES, (facet([1, 0, -1, 1]), facet([0, 0, -1, 1])))
    assert data.expert.tolist() == [1, 0, -1, 3]
    assert data.audited.tolist() == [True, True, False, True]
    assert data.n_items == 4
    assert (data.encoder, data.recent, data.tier_accuracy) == ("tiny", None, {"crowd": 0.9})


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (facet([0, -1]), "experts answered on other items about praise"),
        (facet([0, 0], groups=np.array([7, 8])), "groups of praise are not those of billing"),
        (facet([0, 0], vectors=None, encoder=None), "encoder or tiers of praise"),
        (facet([0, 0], recent=np.ones(2, np.bool_)), "recent of praise are not those"),
        (facet([0, 0], classes=("a", "b")), "praise is told apart in a, b"),
    ],
)
def test_facets_that_disagree_about_the_items_are_refused(second: TrainingData, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SetData(CLASSES, (facet([1, 0]), second))


def test_every_class_needs_its_facet() -> None:
    with pytest.raises(ValueError, match="1 facets for 2 classes"):
        SetData(CLASSES, (facet([1, 0]),))
