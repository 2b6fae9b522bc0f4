"""Current labels with their items, read a chunk at a time."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from rows_for_tests import add_items
from sqlalchemy import insert

from daemon.adapters.store.engine import Database
from daemon.adapters.store.exports import ExportRoom
from daemon.adapters.store.schema import labels
from daemon.core.states import LabelStatus

HUMAN, CERTIFIED, PROVISIONAL = LabelStatus.HUMAN, LabelStatus.CERTIFIED, LabelStatus.PROVISIONAL


def publish(database: Database, item: str, revision: int, status: LabelStatus, label: int = 1) -> None:
    row = {
        "item": item,
        "revision": revision,
        "labels": np.array([label], np.int8).tobytes(),
        "probabilities": np.array([0.25, 0.75], "<f4").tobytes(),
        "status": status.value,
        "cost": 0,
        "at": 1,
    }
    with database.write() as connection:
        connection.execute(insert(labels), row)


def ids(database: Database, statuses: Sequence[LabelStatus], chunk: int = 2) -> list[str]:
    return [one.id for one in ExportRoom(database, chunk).labeled(statuses)]


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_every_item_is_there_once_whatever_the_chunk(database: Database, chunk: int) -> None:
    names = [f"i{number}" for number in range(7)]
    add_items(database, names)
    for name in names:
        publish(database, name, 1, CERTIFIED)
    assert ids(database, [CERTIFIED], chunk) == names


def test_only_the_current_label_counts(database: Database) -> None:
    add_items(database, ["a", "b", "none"], revision=2)
    publish(database, "a", 1, CERTIFIED, label=0)
    publish(database, "a", 2, HUMAN, label=1)
    publish(database, "b", 1, HUMAN)
    publish(database, "b", 2, PROVISIONAL)
    (one,) = ExportRoom(database).labeled([CERTIFIED, HUMAN])
    assert (one.id, one.label, one.status, one.revision) == ("a", 1, HUMAN, 2)
    assert one.probabilities == (0.25, 0.75)
    assert json.loads(one.payload) == {"text": "hello"}
    assert ids(database, [PROVISIONAL]) == ["b"]
