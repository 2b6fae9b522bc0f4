"""Old items are removed when nothing rests on them; all others stay."""

from collections.abc import Callable

import pytest
from decisions_for_tests import arrivals, decision, silent, span, start
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows
from sqlalchemy import Table, insert, update

from daemon.adapters.store import retention
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.retention import RetentionRoom
from daemon.adapters.store.schema import items, labels, metadata, recheck, vectors
from daemon.adapters.store.stream import StreamRoom
from daemon.core.errors import DutyLost
from daemon.core.retention import Kept, Walked
from daemon.core.rows import Duty

KEPT = Kept(certified=30, open=None)
Write = Callable[[Table, dict[str, object]], None]


@pytest.fixture
def room(database: Database) -> RetentionRoom:
    return RetentionRoom(database)


@pytest.fixture
def duty(database: Database) -> Duty:
    taken = StreamRoom(database, {}).take_duty("retention", "test", 1e9)
    assert taken is not None
    return taken


def stored(database: Database, table: Table = items, column: str = "id") -> list[str]:
    return sorted(getattr(row, column) for row in all_rows(database, table))


def walk(room: RetentionRoom, duty: Duty, limit: int = 100, kept: Kept = KEPT) -> list[int]:
    """How many each step removed."""
    at, removed = Walked(), []
    while (walked := room.remove_old(duty, kept, at, limit)) is not None:
        at = walked
        removed.append(at.removed)
    return removed


def test_certified_items_that_nobody_was_asked_about_go_with_all_that_is_theirs(
    database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    stream = StreamRoom(database, {})
    stream.locate([start()])
    stream.save_batch(
        [span(0, 2)], arrivals(["old", "open"], vectors=True), decision(2, publish=True), silent, {}
    )
    with database.write() as connection:
        connection.execute(update(items).where(items.c.id == "old").values(state="certified"))
    clock.advance(29 * 86_400)
    assert walk(room, duty) == [] and stored(database) == ["old", "open"]
    clock.advance(2 * 86_400)
    add_items(database, ["young"], state="certified")
    assert walk(room, duty) == [1]
    assert stored(database) == ["open", "young"]
    assert stored(database, labels, "item") == ["open"] == stored(database, vectors, "item")
    assert stream.digests(["old"]) == {}, "the id is free again"


@pytest.mark.parametrize("state", ["asking", "ready", "frozen", "human"])
def test_what_is_not_released_stays(
    state: str, database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    add_items(database, ["a"], state=state)
    clock.advance(31 * 86_400)
    assert walk(room, duty) == [0] and stored(database) == ["a"]


def test_open_items_have_an_age_of_their_own(
    database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    states = ("asking", "ready", "frozen", "human", "certified")
    for state in states:
        add_items(database, [state], state=state)
    add_items(database, ["asked"], state="asking")
    add_question(database, "asked")
    clock.advance(31 * 86_400)
    assert walk(room, duty, kept=Kept(certified=None, open=40)) == []
    assert walk(room, duty, kept=Kept(certified=40, open=30)) == [2]
    assert stored(database) == ["asked", "certified", "frozen", "human"]
    assert walk(room, duty, kept=Kept(certified=None, open=None)) == []


def test_a_label_that_changed_lately_stays(
    database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    add_items(database, ["a"], state="certified")
    clock.advance(31 * 86_400)
    with database.write() as connection:
        connection.execute(update(items).values(changed=database.now(connection)))
    assert walk(room, duty) == [0] and stored(database) == ["a"]


def test_what_anything_rests_on_stays(
    database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    names = [table.name for table in retention.RESTS_ON_IT]
    add_items(database, [*names, "free"], state="certified")
    ann = add_annotator(database, "ann")
    question = add_question(database, "questions", state="cancelled")
    add_answer(database, "answers", ann, 1)
    rows = {
        "spend": {"at": 0, "tier": "expert", "state": "spent", "micros": 1},
        "controls": {"question": question, "annotator": ann, "truth": b"\0"},
        "flags": {"question": question, "annotator": ann, "tier": "expert", "note": "", "at": 0},
        "truths": {"labels": b"\0", "source": "lead", "at": 0},
        "calls": {
            "at": 0,
            "tier": "llm",
            "endpoint": "e",
            "run": "r",
            "state": "spent",
            "reserved": 0,
            "deadline": 0,
        },
        "judgments": {"annotator": ann, "said_ab": 0, "said_ba": 0, "first_ab": 0.5, "first_ba": 0.5},
    }
    assert rows.keys() | {"questions", "answers"} == set(names)
    with database.write() as connection:
        for name, row in rows.items():
            connection.execute(insert(metadata.tables[name]).values(item=name, **row))
    clock.advance(31 * 86_400)
    assert walk(room, duty) == [1]
    assert stored(database) == sorted(names)


def test_every_table_that_is_about_items_says_whether_it_keeps_them() -> None:
    about = {table.name for table in metadata.tables.values() if "item" in table.c}
    said = {table.name for table in (*retention.RESTS_ON_IT, *retention.GOES_ALONG)}
    assert about == said | {recheck.name}, "a recheck of an item that is gone is dropped by who takes it"


def test_a_walk_goes_on_behind_what_it_looked_at(
    database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    add_items(database, [f"{number:02}" for number in range(10)], state="ready")
    clock.advance(1)
    add_items(database, ["z0", "z1", "a0"], state="certified")
    clock.advance(31 * 86_400)
    assert walk(room, duty, limit=4) == [0, 0, 2, 1]
    assert stored(database) == [f"{number:02}" for number in range(10)]
    assert walk(room, duty, limit=4) == [0, 0, 0]


def test_only_who_has_the_duty_removes(
    database: Database, clock: MovableClock, room: RetentionRoom, duty: Duty
) -> None:
    add_items(database, ["a"], state="certified")
    clock.advance(31 * 86_400)
    StreamRoom(database, {}).drop_duty(duty)
    with pytest.raises(DutyLost):
        walk(room, duty)
    assert stored(database) == ["a"]
