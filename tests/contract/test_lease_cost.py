"""A reviewer waits for each statement: what leases and answers ask of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from rows_for_tests import add_items, add_question
from sqlalchemy import event

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import LOOK_MS, QuestionRoom

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


def test_expired_leases_are_looked_for_twice_a_second_at_most(
    database: Database, clock: MovableClock
) -> None:
    _queue(database, 1)
    room = QuestionRoom(database)
    ann, bob = (room.enroll(name, TIER).id for name in ("ann", "bob"))
    assert len(room.lease(ann, TIER, 1, 1.0)) == 1
    clock.advance(0.9)
    assert room.lease(bob, TIER, 1, 60) == []
    clock.advance(0.2)
    assert room.lease(bob, TIER, 1, 60) == [], "it was looked for a moment ago"
    clock.advance(LOOK_MS / 1000)
    assert len(room.lease(bob, TIER, 1, 60)) == 1
