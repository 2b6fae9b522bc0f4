"""A reviewer waits for each statement: what leases and answers ask of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from rows_for_tests import add_items, add_question
from sqlalchemy import event, insert

from daemon.adapters.store import leasing
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import questions

TIER = "crowd"


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is sent through SQLAlchemy meanwhile, but for beginning and end of transactions."""
    sent: list[str] = []

    def note(*seen: object) -> None:
        if not str(seen[2]).startswith(("BEGIN", "COMMIT")):
            sent.append(str(seen[2]))

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database._engine, "before_cursor_execute", note)


def _queue(database: Database, n: int) -> None:
    ids = [f"item-{number:03d}" for number in range(n)]
    add_items(database, ids)
    for id_ in ids:
        add_question(database, id_, TIER)


def test_an_answer_asks_the_database_ten_times_at_most_and_a_lease_eight_times(
    database: Database,
) -> None:
    _queue(database, 40)
    room = QuestionRoom(database)
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 3, 60)
    (question, *_) = room.lease(ann, TIER, 3, 60)
    with statements(database) as answering:
        room.answer(question.question, ann, 0, 2.0)
    with statements(database) as leasing:
        assert len(room.lease(ann, TIER, 3, 60)) == 3
    assert len(answering) <= 10, "\n".join(answering)
    assert len(leasing) <= 8, "\n".join(leasing)


def test_expired_leases_are_not_looked_for_with_every_lease(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds for what is half a second: the time that the test takes counts, too."""
    monkeypatch.setattr("daemon.adapters.store.questions.LOOK_MS", 10_000)
    _queue(database, 1)
    room = QuestionRoom(database)
    ann, bob = (room.enroll(name, TIER).id for name in ("ann", "bob"))
    assert len(room.lease(ann, TIER, 1, 20)) == 1
    clock.advance(15)
    assert room.lease(bob, TIER, 1, 60) == []
    clock.advance(6)
    assert room.lease(bob, TIER, 1, 60) == [], "it was looked for a moment ago"
    clock.advance(10)
    assert len(room.lease(bob, TIER, 1, 60)) == 1


def test_expired_leases_are_found_without_reading_every_question(database: Database) -> None:
    """Also by a plan that is made once, as those of review processes are."""
    _queue(database, 1)
    _ask_long_ago(database, 5_000)
    sent: list[tuple[str, Any]] = []
    note = partial(_note, sent)
    event.listen(database._engine, "before_cursor_execute", note)
    try:
        with database.write() as connection:
            leasing.free_expired(connection, TIER, 1)
    finally:
        event.remove(database._engine, "before_cursor_execute", note)
    ((statement, values),) = sent
    plan = _plan(database, statement, values)
    assert "Seq Scan" not in plan, plan
    assert "SCAN questions" not in plan, plan


def _plan(database: Database, statement: str, values: Any) -> str:
    """How the database would do it, on PostgreSQL whatever the values are."""
    with database.write() as connection:
        if database.is_sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            return "\n".join(str(row.detail) for row in rows)
        connection.exec_driver_sql("ANALYZE questions")
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        for place, name in enumerate(values, 1):
            statement = statement.replace(f"%({name})s", f"${place}")
        connection.exec_driver_sql(f"PREPARE looked AS {statement}")
        given = ", ".join(repr(value) for value in values.values())
        rows = connection.exec_driver_sql(f"EXPLAIN EXECUTE looked({given})")
        plan = "\n".join(str(row[0]) for row in rows)
        connection.exec_driver_sql("DEALLOCATE looked")
        return plan


def _note(sent: list[tuple[str, Any]], *seen: object) -> None:
    if not str(seen[2]).startswith(("BEGIN", "COMMIT")):
        sent.append((str(seen[2]), seen[3]))


def _ask_long_ago(database: Database, n: int) -> None:
    row = {"tier": TIER, "purpose": "settle", "priority": 0.0, "price": 0, "state": "answered", "created": 0}
    with database.write() as connection:
        connection.execute(insert(questions), [{**row, "item": f"past-{number}"} for number in range(n)])
