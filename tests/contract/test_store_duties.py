"""Duties: one holder at a time, and an epoch that tells the old holder from the new."""

import threading

import pytest

from daemon.adapters.store import duties
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.stream import StreamRoom
from daemon.core.errors import DutyLost
from daemon.core.rows import Duty


@pytest.fixture
def room(database: Database) -> StreamRoom:
    return StreamRoom(database, {})


def _check(database: Database, duty: Duty) -> None:
    with database.write() as connection:
        duties.check(connection, duty)


def test_a_duty_has_one_holder(room: StreamRoom) -> None:
    mine = room.take_duty("windows", "me", 10)
    assert mine == Duty("windows", "me", 1)
    assert room.take_duty("windows", "you", 10) is None
    assert room.take_duty("publishing", "you", 10) is not None


def test_renewing_keeps_the_epoch_and_the_duty(room: StreamRoom, clock: MovableClock) -> None:
    mine = room.take_duty("windows", "me", 10)
    clock.advance(8)
    assert room.take_duty("windows", "me", 10) == mine
    clock.advance(8)
    assert room.take_duty("windows", "you", 10) is None


def test_a_duty_that_ran_out_goes_to_the_next_with_a_new_epoch(
    database: Database, room: StreamRoom, clock: MovableClock
) -> None:
    mine = room.take_duty("windows", "me", 10)
    assert mine is not None
    clock.advance(11)
    _check(database, mine)
    yours = room.take_duty("windows", "you", 10)
    assert yours is not None
    assert yours.epoch == mine.epoch + 1
    with pytest.raises(DutyLost, match="'windows'"):
        _check(database, mine)
    clock.advance(11)
    again = room.take_duty("windows", "me", 10)
    assert again is not None
    assert again.epoch == mine.epoch + 2
    with pytest.raises(DutyLost):
        _check(database, mine)


def test_a_dropped_duty_is_free_at_once(database: Database, room: StreamRoom) -> None:
    mine = room.take_duty("windows", "me", 10)
    assert mine is not None
    room.drop_duty(mine)
    with pytest.raises(DutyLost):
        _check(database, mine)
    yours = room.take_duty("windows", "you", 10)
    room.drop_duty(mine)
    assert yours is not None
    _check(database, yours)


def test_a_duty_that_nobody_ever_took_is_not_held(database: Database) -> None:
    with pytest.raises(DutyLost):
        _check(database, Duty("windows", "me", 0))


def test_many_who_reach_for_a_duty_get_it_once(database: Database) -> None:
    taken: list[Duty | None] = []
    ready = threading.Barrier(4)

    def reach(name: str) -> None:
        ready.wait(timeout=30)
        taken.append(StreamRoom(database, {}).take_duty("windows", name, 60))

    threads = [threading.Thread(target=reach, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(duty is None for duty in taken) == [False, True, True, True]
