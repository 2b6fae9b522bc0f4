"""Flags, earlier answers and a day's capacity, on both databases."""

import pytest
from rows_for_tests import add_answer, add_items, add_question, all_rows, count

from daemon.adapters.store import open_items
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.leasing import Hints
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import budgets, flags, questions, recheck
from daemon.core.errors import LeaseLost, ReviewerPaused
from daemon.core.rows import EarlierAnswer

MINUTE = 60.0


@pytest.fixture
def room(database: Database) -> QuestionRoom:
    return QuestionRoom(database, capacities={"crowd": 2}, hints=Hints(earlier=frozenset({"expert"})))


def test_a_flag_ends_the_question_keeps_the_note_and_asks_for_a_look(
    database: Database, room: QuestionRoom
) -> None:
    add_items(database, ["a"])
    for _ in range(2):
        add_question(database, "a", "crowd", price=7)
    bob = room.enroll("bob", "crowd").id
    (lease,) = room.lease(bob, "crowd", 1, MINUTE)
    room.flag(lease.question, bob, "which currency?")
    room.flag(lease.question, bob, "which currency is meant?")
    (kept,) = all_rows(database, flags)
    assert (kept.item, kept.tier, kept.annotator, kept.note) == (
        "a",
        "crowd",
        bob,
        "which currency is meant?",
    )
    ended, other = all_rows(database, questions)
    assert (ended.state, ended.holder, other.state) == ("passed", None, "open")
    assert [row.reason for row in all_rows(database, recheck)] == ["flag"]
    (day,) = all_rows(database, budgets)
    assert day.reserved == 0
    assert room.lease(bob, "crowd", 5, MINUTE) == [], "they never get the item again"
    with database.write() as connection:
        (item,) = open_items.complete(connection, open_items.lock(connection, ["a"]))
    assert (list(item.flagged), list(item.passed)) == (["crowd"], ["crowd"])


def test_a_flagged_audit_goes_to_somebody_else(database: Database, room: QuestionRoom) -> None:
    add_items(database, ["a"])
    add_question(database, "a", "expert", purpose="gold")
    ann, dan = room.enroll("ann", "expert").id, room.enroll("dan", "expert").id
    (lease,) = room.lease(ann, "expert", 1, MINUTE)
    room.flag(lease.question, ann, "")
    assert room.lease(ann, "expert", 1, MINUTE) == []
    assert [one.question for one in room.lease(dan, "expert", 1, MINUTE)] == [lease.question]


def test_nobody_flags_what_another_tier_is_asked(database: Database, room: QuestionRoom) -> None:
    add_items(database, ["a"])
    question = add_question(database, "a", "expert")
    with pytest.raises(LeaseLost, match="meant for somebody else"):
        room.flag(question, room.enroll("bob", "crowd").id, "")
    assert count(database, flags) == 0


def test_a_lease_knows_what_other_tiers_answered_unless_it_is_blind(
    database: Database, room: QuestionRoom
) -> None:
    add_items(database, ["a", "b"])
    crowd = [room.enroll(name, "crowd").id for name in ("bob", "cy")]
    for person, label in zip(crowd, (1, 0), strict=True):
        for item in ("a", "b"):
            add_answer(database, item, person, label)
    add_question(database, "a", "expert", purpose="adjudicate")
    add_question(database, "b", "expert", purpose="audit")
    ann = room.enroll("ann", "expert").id
    told = {lease.item: lease.earlier for lease in room.lease(ann, "expert", 2, MINUTE)}
    assert told == {"a": (EarlierAnswer("crowd", 1), EarlierAnswer("crowd", 0)), "b": ()}


def test_of_one_person_so_many_answers_are_taken_a_day(
    database: Database, room: QuestionRoom, clock: MovableClock
) -> None:
    add_items(database, [f"i{number}" for number in range(5)])
    for number in range(5):
        add_question(database, f"i{number}", "crowd")
    bob = room.enroll("bob", "crowd").id
    first = room.lease(bob, "crowd", 5, MINUTE)
    assert len(first) == 2
    room.answer(first[0].question, bob, 1, 1.0)
    (held,) = room.lease(bob, "crowd", 5, MINUTE)
    assert held.question == first[1].question
    room.answer(held.question, bob, 1, 1.0)
    with pytest.raises(ReviewerPaused, match="2 answers today"):
        room.lease(bob, "crowd", 1, MINUTE)
    assert len(room.lease(room.enroll("cy", "crowd").id, "crowd", 5, MINUTE)) == 2
    clock.advance(86_400)
    assert len(room.lease(bob, "crowd", 5, MINUTE)) == 2
