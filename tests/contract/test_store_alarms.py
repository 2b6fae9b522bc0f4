"""Drift alarms: one open one a signal, against the current bundle, ended by the learner."""

from collections.abc import Callable

import pytest
from decisions_for_tests import arrivals, decision, silent, span, start
from rows_for_tests import add_annotator, add_answer, add_items, add_question
from window_harness import House

from daemon.adapters.store import alarms
from daemon.adapters.store.alarms import AlarmRoom
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.core.alarm_rows import CALM, AlarmRecord, DriftStanding
from daemon.core.errors import DutyLost
from daemon.core.rows import Duty
from models.drift.alarm import Alarm

FAR = Alarm("distance", "far out", 40, 0.4)
SILENT = Alarm("symbols", "a function fell silent", 128, 0.2)


@pytest.fixture
def room(database: Database) -> AlarmRoom:
    return AlarmRoom(database)


@pytest.fixture
def learning(database: Database) -> LearningRoom:
    return LearningRoom(database)


@pytest.fixture
def duty(database: Database) -> Duty:
    taken = StreamRoom(database, {}).take_duty("learning", "me", 60)
    assert taken is not None
    return taken


@pytest.fixture
def promote(learning: LearningRoom, duty: Duty) -> Callable[..., int]:
    def make(ends_alarms: bool = False) -> int:
        bundle = learning.save_bundle("digest", b"data", None, None)
        learning.promote(duty, bundle, ends_alarms)
        return bundle

    return make


def stored(database: Database) -> list[AlarmRecord]:
    with database.read() as connection:
        return alarms.newest(connection, 10)


def test_each_signal_has_one_open_alarm(
    database: Database, room: AlarmRoom, clock: MovableClock, promote: Callable[..., int]
) -> None:
    bundle = promote()
    stream = StreamRoom(database, {})
    stream.locate([start()])
    stream.save_batch([span(0, 3)], arrivals(["a", "b", "c"]), decision(3), silent, {})
    assert room.standing() == CALM
    assert room.raise_alarms("run-1", bundle, [FAR]) == [FAR]
    clock.advance(5)
    assert room.raise_alarms("run-2", bundle, [FAR, SILENT]) == [SILENT]
    second, first = stored(database)
    assert (first.signal, first.times, first.items, first.bundle) == ("distance", 2, 3, bundle)
    assert (first.detail, first.size, first.ended_at) == ("far out", 0.4, None)
    assert first.last_at - first.at >= 5_000
    assert (second.signal, second.times, second.last_at) == ("symbols", 1, second.at)
    assert room.standing() == DriftStanding(2, first.at)


def test_an_alarm_against_another_reference_than_the_current_one_is_dropped(
    database: Database, room: AlarmRoom, promote: Callable[..., int]
) -> None:
    assert room.raise_alarms("run", 1, [FAR]) == []
    old, new = promote(), promote()
    assert room.raise_alarms("run", old, [FAR]) == []
    assert room.raise_alarms("run", new, [FAR]) == [FAR]


def test_a_promotion_ends_alarms_only_if_it_is_told_to(
    database: Database, room: AlarmRoom, clock: MovableClock, promote: Callable[..., int]
) -> None:
    room.raise_alarms("run", promote(), [FAR])
    promote()
    assert room.standing().open == 1
    last = promote(ends_alarms=True)
    (alarm,) = stored(database)
    assert alarm.ended_by == last
    assert alarm.ended_at is not None and alarm.ended_at >= alarm.at
    assert room.standing() == DriftStanding(0, alarm.at), "what came before it stays forgotten"
    clock.advance(60)
    room.raise_alarms("run", last, [FAR])
    assert [(one.times, one.ended_at is None) for one in stored(database)] == [(1, True), (1, False)]
    assert room.standing().since == stored(database)[0].at


def test_a_champion_that_stands_ends_the_alarms_too(
    database: Database, room: AlarmRoom, learning: LearningRoom, duty: Duty, promote: Callable[..., int]
) -> None:
    bundle = promote()
    room.raise_alarms("run", bundle, [FAR])
    with pytest.raises(DutyLost):
        learning.end_alarms(Duty("learning", "somebody", 1))
    assert room.standing().open == 1
    learning.end_alarms(duty)
    assert [alarm.ended_by for alarm in stored(database)] == [bundle]


def test_fresh_answers_are_random_ones_on_items_that_came_after_the_alarm(
    database: Database,
    room: AlarmRoom,
    learning: LearningRoom,
    clock: MovableClock,
    promote: Callable[..., int],
) -> None:
    person = add_annotator(database, "ann")
    add_items(database, ["before"])
    assert learning.news().fresh is None
    assert learning.training_rows(5).since is None
    clock.advance(10)
    room.raise_alarms("run", promote(), [FAR])
    assert learning.news().fresh == 0
    add_items(database, ["gold", "audit", "settled"])
    for item, purpose in (("before", "gold"), ("gold", "gold"), ("audit", "audit"), ("settled", "settle")):
        add_answer(database, item, person, 1, purpose=purpose)
    assert learning.news().fresh == 2
    assert learning.training_rows(5).since == room.standing().since
    promote(ends_alarms=True)
    assert learning.news().fresh is None
    assert learning.training_rows(5).since == room.standing().since


def test_gold_drawn_and_the_last_threshold_can_be_asked_since_an_alarm(
    database: Database, clock: MovableClock
) -> None:
    house = House(database)
    add_question(database, "old", purpose="gold")
    house.items("a", "b", "c", "d")
    window = house.freeze()
    clock.advance(10)
    with database.read() as connection:
        now = database.now(connection)
    assert house.close(window)
    add_question(database, "new", purpose="gold")
    assert (house.room.gold_drawn(), house.room.gold_drawn(now)) == (2, 1)
    assert house.room.last_threshold() == 0.55
    assert house.room.last_threshold(now) is None, "it froze before"
    assert house.room.closed_windows(1)[0].frozen_at < now
