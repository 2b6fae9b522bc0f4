"""What a plan reads, on both databases."""

import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.planning import PlanRoom


@pytest.fixture
def room(database: Database) -> PlanRoom:
    return PlanRoom(database)


def test_the_newest_items_are_read_as_if_nobody_had_been_asked(
    room: PlanRoom, database: Database, clock: MovableClock
) -> None:
    add_items(database, ["old"])
    clock.advance(60)
    add_items(database, ["b", "c"])
    add_answer(database, "b", add_annotator(database, "ann"), 1)
    add_question(database, "c")
    items = room.recent(2)
    assert [item.id for item in items] == ["b", "c"]
    assert [(*item.answers, *item.wanted) for item in items] == [(), ()]
    assert items[0].inline.tolist() == [1, -1, 0]


def test_items_a_day_at_the_pace_of_the_last_day_with_items(
    room: PlanRoom, database: Database, clock: MovableClock
) -> None:
    assert room.per_day() is None
    add_items(database, ["long ago"])
    clock.advance(5 * 86_400)
    add_items(database, ["a", "b"])
    assert room.per_day() is None, "a moment says nothing about a day"
    clock.advance(3_600)
    add_items(database, ["c", "d"])
    assert room.per_day() == pytest.approx(4 * 24, rel=0.01)
