"""Items of one subject are looked at together."""

from dataclasses import replace

import pytest
from decisions_for_tests import always, arrivals, decision, silent, span, start
from rows_for_tests import add_items, all_rows
from sqlalchemy import insert

from daemon.adapters.store import open_items
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import recheck
from daemon.adapters.store.stream import StreamRoom
from daemon.core.states import ItemState


@pytest.fixture
def room(database: Database) -> StreamRoom:
    return StreamRoom(database, {})


def _recheck(database: Database, id_: str) -> None:
    with database.write() as connection:
        connection.execute(insert(recheck), [{"item": id_, "reason": "answer", "due": 0}])


def test_a_new_item_has_its_subject_looked_at(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    batch = replace(arrivals(["a", "b", "alone"]), subjects=["deer", "deer", None])
    room.save_batch([span(0, 3)], batch, decision(3), silent, {})
    rows = all_rows(database, recheck)
    assert [row.reason for row in rows] == ["subject"]
    assert rows[0].item in ("a", "b")


def test_an_item_brings_along_its_subject(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a", "b"], subject="deer")
    add_items(database, ["other"], subject="fox")
    add_items(database, ["alone"])
    _recheck(database, "b")
    decide = always(decision(2))
    assert room.work_rechecks(9, decide) == 2
    assert [(item.id, item.subject) for item in decide.seen] == [("a", "deer"), ("b", "deer")]


def test_an_item_without_a_subject_comes_alone(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a", "b"])
    _recheck(database, "b")
    decide = always(decision(1))
    assert room.work_rechecks(9, decide) == 1


def test_a_frozen_item_waits_for_its_window(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a"], subject="deer", state=ItemState.FROZEN.value)
    add_items(database, ["b"], subject="deer")
    _recheck(database, "b")
    decide = always(decision(1))
    room.work_rechecks(9, decide)
    assert [item.id for item in decide.seen] == ["b"]


def test_only_the_newest_of_a_large_subject_come(
    database: Database, room: StreamRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_items, "SIBLINGS", 2)
    for arrived, id_ in enumerate(["oldest", "older", "new", "newest"]):
        add_items(database, [id_], subject="crowded", arrived=arrived)
    _recheck(database, "newest")
    decide = always(decision(2))
    room.work_rechecks(9, decide)
    assert sorted(item.id for item in decide.seen) == ["new", "newest"]
