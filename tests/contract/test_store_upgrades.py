"""A database that any earlier version filled: nothing of it is lost on the way here, and all is read."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from alembic import command
from decisions_for_tests import arrivals, decision, silent, span
from rows_of_each_version import NOON, PUBLISHED, ROWS
from sqlalchemy import Connection, MetaData, Table, insert, select
from window_harness import TERMS, closing

from daemon.adapters.store.alarms import AlarmRoom
from daemon.adapters.store.binding import bind
from daemon.adapters.store.engine import Database
from daemon.adapters.store.exports import ExportRoom
from daemon.adapters.store.insights import InsightRoom
from daemon.adapters.store.lead import LeadRoom
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.reviewers import ReviewerRoom
from daemon.adapters.store.schema import metadata
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.upgrade import VERSIONS, configuration
from daemon.adapters.store.windows import WindowRoom
from daemon.core.errors import SetupProblem
from daemon.core.rows import Compose, Decision, OpenItem
from daemon.core.states import LabelStatus
from models.bundles import read_bundle
from models.guarantee.window import toss


def _counts_up(table: Table) -> bool:
    """Whether the database numbers its rows."""
    return [column.name for column in table.primary_key] in (["id"], ["seq"]) and table.name != "items"


def _tables(connection: Connection) -> list[Table]:
    there = MetaData()
    there.reflect(connection)
    return [table for table in there.sorted_tables if table.name != "alembic_version"]


def _fill(connection: Connection) -> None:
    """Rows in every table that is there, in every column that it has."""
    for table in _tables(connection):
        given = ROWS[table.name]
        for row in given:
            own = {name: value for name, value in row.items() if name in table.c}
            if _counts_up(table):
                del own[next(iter(table.primary_key)).name]
            connection.execute(insert(table).values(own))
        empty = {column.name for column in table.c if all(row[column.name] is None for row in given)}
        assert empty == set(), f"nothing is said of {empty} of {table.name}"


def _content(connection: Connection, columns: dict[str, list[str]] | None = None) -> dict[str, list[Any]]:
    """Every row of every table, or only of those tables and columns."""
    found = {}
    for table in _tables(connection):
        names = [column.name for column in table.c] if columns is None else columns.get(table.name)
        if names:
            query = select(*(table.c[name] for name in names)).order_by(*table.primary_key)
            found[table.name] = [dict(row._mapping) for row in connection.execute(query)]
    return found


@pytest.fixture(params=VERSIONS[:-1])
def upgraded(request: pytest.FixtureRequest, empty_url: str) -> Iterator[Database]:
    """Filled at an earlier version, then migrated; every row that it held is still as it was."""
    database = Database(empty_url)
    with database.write() as connection:
        command.upgrade(configuration(connection), request.param)
    with database.write() as connection:
        _fill(connection)
        before = _content(connection)
    database.migrate()
    columns = {name: list(rows[0]) for name, rows in before.items()}
    with database.read() as connection:
        assert _content(connection, columns) == before
    yield database
    database.close()


def test_rows_are_known_of_every_table() -> None:
    assert ROWS.keys() == metadata.tables.keys()
    for name, rows in ROWS.items():
        assert all(row.keys() == set(metadata.tables[name].c.keys()) for row in rows), name


def test_what_any_version_left_is_kept_read_and_gone_on_with(upgraded: Database) -> None:
    """One test for all of it: making and filling an old database is what takes the time."""
    _everything_is_read(upgraded)
    _the_models_are_read(upgraded)
    _people_go_on(upgraded)
    _the_stream_goes_on(upgraded)
    _an_open_window_closes(upgraded)


def _everything_is_read(database: Database) -> None:
    bind(database, ("ham", "spam"))
    with pytest.raises(SetupProblem):
        bind(database, ("spam", "ham"))
    reports = ReportRoom(database, {"expert": 9_000_000}, frozenset({"expert"}))
    overview = reports.overview()
    assert overview.states == {"asking": 2, "ready": 1, "frozen": 1, "certified": 1, "human": 1}
    assert (overview.outbox, overview.rechecks, overview.open_windows) == (1, 1, 1)
    assert (overview.bundle.id if overview.bundle else None, overview.dead_letters) == (2, {"not_json": 4})
    assert [(one.id, one.certified) for one in overview.windows] == [(1, 1)]
    assert {label.item for label in reports.recent_labels(10)} >= {"d", "e"}
    for id_ in "abcdef":
        story = reports.item(id_)
        assert story is not None
    exported = {one.id: one for one in ExportRoom(database).labeled(list(LabelStatus))}
    assert exported.keys() == set("abcde"), "f has no label yet"
    InsightRoom(database, frozenset({"expert"})).insight_rows()
    LeadRoom(database).lead_rows()
    assert {person.name for person in ReviewerRoom(database).reviewers()} == {"ann", "bob"}
    AlarmRoom(database).standing()
    assert WindowRoom(database, {}, toss).ledger().after_window == 0


def _the_models_are_read(database: Database) -> None:
    room = LearningRoom(database)
    current = room.current_bundle(None)
    assert current is not None
    assert current.id == 2
    bundles = [read_bundle(stored.data) for stored in room.last_bundles(9)]
    assert [bundle.classes for bundle in bundles] == [("ham", "spam")] * 2
    rows = room.training_rows(100)
    assert sorted(rows.ids) == list("abcdef")
    assert len(rows.answers) == 2
    assert rows.has_vector.sum() == 3
    room.news()
    room.prospects()


def _people_go_on(database: Database) -> None:
    room = QuestionRoom(database)
    bob, ann = room.enroll("bob", "crowd"), room.enroll("ann", "expert")
    assert (bob.id, ann.id) == (4, 3)
    assert {one.question for one in room.lease(bob.id, "crowd", 9, 60)} == {3, 4}
    room.answer(3, bob.id, 1, 2.0)
    (audit,) = room.lease(ann.id, "expert", 9, 60)
    assert (audit.question, audit.item, audit.blind) == (2, "c", True)
    room.answer(2, ann.id, 1, 2.0)
    new = room.enroll("dee", "crowd")
    assert new.id > 4, "numbers go on where the version before stopped"


def _the_stream_goes_on(database: Database) -> None:
    room = StreamRoom(database, {})
    (row,) = room.outbox(9)
    assert row.messages == PUBLISHED
    new = arrivals(["g"])
    room.save_batch([_at(200, 201)], new, decision(1), silent, {})
    assert room.digests(["a", "g"]) == {"a": b"a" * 16, "g": new.digests[0]}
    seen: list[OpenItem] = []

    def decide(some: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        seen.extend(some)
        return decision(len(some)), silent

    assert room.work_rechecks(1, decide) == 2, "a, and b, which shows the same thing"
    assert {item.id: item.revision for item in seen} == {"a": 1, "b": 1}
    assert [answer.name for item in seen for answer in item.answers] == ["bob"]


def _at(first: int, next_: int) -> Any:
    one = span(first, next_)
    return type(one)("topic", one.topic, one.partition, one.first, one.next)


def _an_open_window_closes(database: Database) -> None:
    stream, room = StreamRoom(database, {}), WindowRoom(database, {}, toss)
    duty = stream.take_duty("windows", "me", 60)
    assert duty is not None
    assert duty.epoch == 4
    assert room.open_windows() == [2]
    found = []

    def judge(window: Any) -> Any:
        found.append(window)
        return closing(window)

    assert room.close(duty, 2, judge, lambda made: ())
    (window,) = found
    assert (window.plan.p, window.plan.start, [item.id for item in window.items]) == (
        TERMS.p,
        TERMS.start,
        ["c"],
    )
    assert window.audits.tolist() == [1]
    assert window.ledger.since in (None, NOON)
    states = ReportRoom(database, {}, frozenset({"expert"})).overview().states
    assert states["certified"] == 2
