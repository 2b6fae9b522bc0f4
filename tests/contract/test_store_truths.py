"""Known labels, on both databases."""

import pytest
from rows_for_tests import add_items, all_rows

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema_accounts import audit_log
from daemon.adapters.store.truths import TruthRoom
from daemon.core.account_rows import Actor

LEA, MAX = Actor("lea", "10.0.0.7"), Actor("max")


@pytest.fixture
def room(database: Database) -> TruthRoom:
    return TruthRoom(database)


def test_known_labels_come_newest_first_of_items_that_came_and_of_others(
    room: TruthRoom, database: Database, clock: MovableClock
) -> None:
    add_items(database, ["here"])
    room.vouch("here", 1, LEA)
    clock.advance(1)
    room.vouch("later", 0, MAX)
    known = room.known_labels(10)
    assert [(one.item, one.label, one.source, one.payload) for one in known] == [
        ("later", 0, "max", None),
        ("here", 1, "lea", b'{"text": "hello"}'),
    ]
    assert [one.item for one in room.known_labels(1)] == ["later"]


def test_the_last_who_vouches_is_believed(room: TruthRoom, clock: MovableClock) -> None:
    room.vouch("a", 1, LEA)
    clock.advance(1)
    room.vouch("a", 0, MAX)
    (one,) = room.known_labels(10)
    assert (one.label, one.source) == (0, "max")


def test_a_label_is_forgotten_once(room: TruthRoom) -> None:
    room.vouch("a", 1, LEA)
    assert room.forget("a", MAX)
    assert not room.forget("a", MAX)
    assert room.known_labels(10) == []


def test_every_change_is_in_the_audit_log(room: TruthRoom, database: Database) -> None:
    room.vouch("a", 1, LEA)
    room.forget("a", MAX)
    room.forget("a", MAX)
    lines = [(row.actor, row.action, row.subject) for row in all_rows(database, audit_log)]
    assert lines == [("lea", "label vouched for", "a"), ("max", "label no longer known", "a")]


def test_sets_of_classes_are_kept_whole(database: Database) -> None:
    room = TruthRoom(database, 3)
    room.vouch("a", 0b101, LEA)
    (one,) = room.known_labels(10)
    assert one.label == 0b101


def test_many_are_vouched_for_at_once_whether_they_came_or_not(room: TruthRoom, database: Database) -> None:
    add_items(database, ["here", "there"])
    room.vouch("here", 0, LEA)
    assert room.vouch_all({"here": 1, "there": 0, "later": 1}, MAX, "known.csv") == 2
    known = {one.item: (one.label, one.source) for one in room.known_labels(10)}
    assert known == {"here": (1, "max"), "there": (0, "max"), "later": (1, "max")}
    line = all_rows(database, audit_log)[-1]
    assert (line.action, line.subject, line.detail) == ("labels vouched for", "known.csv", "3 items")
    assert room.vouch_all({}, MAX, "empty.csv") == 0
