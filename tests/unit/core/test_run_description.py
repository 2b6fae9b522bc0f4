"""The run of a training where any number of classes may apply, from stored rows."""

import json

import numpy as np
import pytest

from daemon.core.assembling import assemble
from daemon.core.learning_rows import TrainingRows
from daemon.core.policy import Policy
from daemon.core.rows import Answer
from daemon.core.run_description import describe
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.states import AnnotatorKind, Purpose
from labeling_functions.task import MULTILABEL
from models.any_training import train_any
from models.bundles import read_bundle
from models.set_bundle import SetBundle
from models.training import TrainingOptions

CLASSES = ("billing", "praise")
N = 60


def stored() -> TrainingRows:
    """Two functions: one says yes of billing where it applies, one says yes or no of praise."""
    truth = np.stack([np.arange(N) % 3 == 0, np.arange(N) % 5 == 0], axis=1).astype(np.int8)
    inline = np.full((N, 4), -1, np.int8)
    inline[:, 0] = np.where(truth[:, 0] == 1, 1, -1)
    inline[:, 3] = np.where(np.arange(N) % 7 == 0, 1 - truth[:, 1], truth[:, 1])
    answers = [
        (
            row,
            Answer(
                annotator=3,
                name="ann",
                version="",
                tier="expert",
                kind=AnnotatorKind.PERSON,
                label=int(truth[row, 0] + 2 * truth[row, 1]),
                confidence=1.0,
                purpose=Purpose.GOLD,
                at=row,
            ),
        )
        for row in range(40)
    ]
    return TrainingRows(
        ids=[str(row) for row in range(N)],
        payloads=[json.dumps({"id": str(row), "text": f"text {row}"}).encode() for row in range(N)],
        subjects=[None] * N,
        arrived=np.arange(N),
        functions=np.ones(N, np.int64),
        inline=list(inline),
        sets={1: (1, 2)},
        names={1: ("pays", "1"), 2: ("thanks", "1")},
        vectors=np.zeros((N, 0), np.float16),
        has_vector=np.zeros(N, np.bool_),
        encoder=None,
        answers=answers,
    )


def test_a_run_has_a_row_for_each_function_and_class() -> None:
    tiers = {"expert": TierSettings(final=True, accuracy=0.99, price=1.0)}
    policy = Policy(CLASSES, tiers, GuaranteeSettings(), RoutingSettings(), kind=MULTILABEL)
    rows = stored()
    data = assemble(rows, policy, None)
    candidate = train_any(data, TrainingOptions(), None, lambda _: None)
    run = describe(rows, data, candidate, None, "a topic", 0.05)
    table = {(record["function"], record["class"]): record for record in run.function_table}
    assert list(table) == [
        ("pays", "billing"),
        ("pays", "praise"),
        ("thanks", "billing"),
        ("thanks", "praise"),
    ]
    assert table["pays", "billing"]["accuracy"] == 1
    assert table["pays", "billing"]["votes_yes"] == 20
    assert table["pays", "praise"]["coverage"] == 0
    assert table["thanks", "praise"]["accuracy"] == pytest.approx(34 / 40)
    assert [record["class"] for record in run.class_table] == list(CLASSES)
    assert run.confusion.shape == (2, 2, 2)
    assert run.metrics["f1/billing"] > 0.9
    assert 0 <= run.metrics["hamming_loss"] < 0.3
    assert isinstance(read_bundle(run.bundle), SetBundle)
