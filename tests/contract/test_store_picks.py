"""Items that people may be asked about only so that the models learn."""

import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows
from sqlalchemy import insert

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.schema import alarms, questions, recheck, windows
from daemon.adapters.store.stream import StreamRoom
from daemon.core.errors import DutyLost
from daemon.core.learning_rows import Standing
from daemon.core.rows import Duty


@pytest.fixture
def room(database: Database) -> LearningRoom:
    return LearningRoom(database)


@pytest.fixture
def stream(database: Database) -> StreamRoom:
    return StreamRoom(database, {})


@pytest.fixture
def duty(stream: StreamRoom) -> Duty:
    taken = stream.take_duty("learning", "me", 60)
    assert taken is not None
    return taken


def _close_window(database: Database, certified: int, n: int = 100, state: str = "closed") -> None:
    row = {
        "state": state,
        "n": n,
        "p": 0.1,
        "alpha": 0.05,
        "delta": 0.1,
        "lambdas": b"",
        "start": 0,
        "tier": "expert",
        "price": 1,
        "priority": 20.0,
        "deadline": 1,
        "frozen_at": 1,
        "frozen": b"",
        "certified": certified,
    }
    with database.write() as connection:
        connection.execute(insert(windows).values(row))


def _raise_alarm(database: Database, ended_at: int | None) -> None:
    row = {"at": 1, "signal": "s", "detail": "d", "size": 1.0, "process": "p", "ended_at": ended_at}
    with database.write() as connection:
        connection.execute(insert(alarms).values(row))


def test_what_people_answered_since_the_last_run_counts(database: Database, room: LearningRoom) -> None:
    ann, model = add_annotator(database, "ann"), add_annotator(database, "gpt", "cheap", kind="llm")
    add_answer(database, "old", ann, 1)
    room.training_rows(10)
    room.save_bundle("digest", b"data", None, None)
    assert room.prospects().answers == 0
    add_answer(database, "a", ann, 1)
    add_answer(database, "b", ann, 1, purpose="audit")
    add_answer(database, "c", ann, 1, purpose="learn")
    add_answer(database, "d", model, 1)
    assert room.prospects().answers == 2


def test_picks_that_wait_are_counted(database: Database, room: LearningRoom) -> None:
    for item, state in (("a", "open"), ("b", "leased"), ("c", "answered"), ("d", "cancelled")):
        add_question(database, item, purpose="learn", state=state)
    add_question(database, "e")
    assert room.prospects().waiting == 2


def test_certified_shares_are_those_of_closed_windows_oldest_first(
    database: Database, room: LearningRoom
) -> None:
    for certified in range(12):
        _close_window(database, certified)
    _close_window(database, 0, state="open")
    assert room.prospects().certified_shares == pytest.approx([n / 100 for n in range(2, 12)])


def test_an_open_alarm_is_seen(database: Database, room: LearningRoom) -> None:
    _raise_alarm(database, ended_at=5)
    assert not room.prospects().drifting
    _raise_alarm(database, ended_at=None)
    assert room.prospects().drifting


def test_open_items_are_free(database: Database, room: LearningRoom) -> None:
    states = ("asking", "ready", "frozen", "certified", "human")
    for state in states:
        add_items(database, [state], state=state)
    assert room.standings([*states, "not there"]) == {"asking": Standing.FREE, "ready": Standing.FREE}


def test_a_person_who_answered_takes_an_item(database: Database, room: LearningRoom) -> None:
    add_items(database, ["person", "model", "retracted"])
    add_items(database, ["done"], state="human")
    ann, model = add_annotator(database, "ann"), add_annotator(database, "gpt", "cheap", kind="llm")
    add_answer(database, "person", ann, 1)
    add_answer(database, "done", ann, 1)
    add_answer(database, "model", model, 1)
    add_answer(database, "retracted", ann, 1)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE answers SET retracted_at = 1 WHERE item = 'retracted'")
    assert room.standings(["person", "done", "model", "retracted"]) == {
        "person": Standing.TAKEN,
        "done": Standing.TAKEN,
        "model": Standing.FREE,
        "retracted": Standing.FREE,
    }


@pytest.mark.parametrize("purpose", ["gold", "audit", "outgoing", "learn"])
def test_a_question_that_will_be_answered_takes_an_item(
    database: Database, room: LearningRoom, purpose: str
) -> None:
    add_items(database, ["asked", "was asked"])
    add_question(database, "asked", purpose=purpose)
    add_question(database, "was asked", purpose=purpose, state="expired")
    assert room.standings(["asked", "was asked"]) == {
        "asked": Standing.TAKEN,
        "was asked": Standing.FREE,
    }


def test_an_item_that_waits_to_be_settled_is_free_until_somebody_looks_at_it(
    database: Database, room: LearningRoom
) -> None:
    add_items(database, ["waits", "looked at"])
    add_question(database, "waits")
    add_question(database, "looked at", state="leased")
    assert room.standings(["waits", "looked at"]) == {"waits": Standing.FREE}


def test_picks_are_left_as_rechecks_that_are_due(database: Database, room: LearningRoom, duty: Duty) -> None:
    add_items(database, ["a", "b", "c"], state="ready")
    room.look_again("bundle")
    room.leave_picks(duty, ["b", "a"])
    left = [(row.item, row.due) for row in all_rows(database, recheck, recheck.c.reason == "learn")]
    assert left == [("b", 0), ("a", 0)]


def test_only_the_holder_of_the_duty_leaves_picks(
    database: Database, room: LearningRoom, stream: StreamRoom, duty: Duty, clock: MovableClock
) -> None:
    clock.advance(61)
    assert stream.take_duty("learning", "you", 60) is not None
    with pytest.raises(DutyLost):
        room.leave_picks(duty, ["a"])
    assert all_rows(database, recheck) == []


def test_picks_are_withdrawn_but_for_those_that_somebody_answers(
    database: Database, room: LearningRoom, duty: Duty
) -> None:
    add_items(database, ["asked", "leased", "answered", "audited", "left"])
    for item, state in (("asked", "open"), ("leased", "leased"), ("answered", "answered")):
        add_question(database, item, purpose="learn", state=state)
    add_question(database, "audited", purpose="audit")
    room.leave_picks(duty, ["left"])
    assert room.withdraw_picks(duty) == 1
    states = {row.item: row.state for row in all_rows(database, questions)}
    assert states == {"asked": "cancelled", "leased": "leased", "answered": "answered", "audited": "open"}
    assert [(row.item, row.reason) for row in all_rows(database, recheck)] == [("asked", "withdrawn")]
    assert room.withdraw_picks(duty) == 0


def test_only_the_holder_of_the_duty_withdraws_picks(
    database: Database, room: LearningRoom, stream: StreamRoom, duty: Duty, clock: MovableClock
) -> None:
    add_question(database, "a", purpose="learn")
    clock.advance(61)
    assert stream.take_duty("learning", "you", 60) is not None
    with pytest.raises(DutyLost):
        room.withdraw_picks(duty)
    assert [row.state for row in all_rows(database, questions)] == ["open"]


def test_the_bundles_trained_last_come_oldest_first(room: LearningRoom, duty: Duty) -> None:
    for name in ("one", "two", "three"):
        made = room.save_bundle(name, name.encode(), None, None)
        if name == "one":
            room.promote(duty, made)
    assert [stored.data for stored in room.last_bundles(2)] == [b"two", b"three"]
    assert len(room.last_bundles(9)) == 3


def test_a_second_pass_does_not_look_twice_at_what_still_waits(
    database: Database, room: LearningRoom
) -> None:
    add_items(database, ["a", "b"], state="ready")
    add_items(database, ["released"], state="certified")
    assert room.look_again("bundle", released=5) == 3
    add_items(database, ["c"], state="asking")
    assert room.look_again("bundle", released=5) == 1
    assert sorted(row.item for row in all_rows(database, recheck)) == ["a", "b", "c", "released"]
