"""What the lead's page reads, on both databases."""

import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question

from daemon.adapters.store import lead
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.lead import LeadRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.core.lead_rows import Said, TierPace
from daemon.core.states import AnnotatorKind


@pytest.fixture
def room(database: Database) -> LeadRoom:
    return LeadRoom(database)


def test_an_empty_database_has_nobody_to_lead(room: LeadRoom) -> None:
    rows = room.lead_rows()
    assert (list(rows.paces), list(rows.reviewers), list(rows.disagreements)) == ([], [], [])


def test_paces_are_of_the_last_hour_and_leave_out_what_was_withdrawn(
    room: LeadRoom, database: Database, clock: MovableClock
) -> None:
    ann = add_annotator(database, "ann")
    add_items(database, ["a", "b", "c", "d"])
    add_answer(database, "a", ann, 1, add_question(database, "a"))
    clock.advance(3_700)
    add_answer(database, "b", ann, 1, add_question(database, "b"))
    add_question(database, "c", state="cancelled")
    add_question(database, "c", purpose="control", state="leased")
    add_question(database, "d", "crowd")
    assert room.lead_rows().paces == [TierPace("crowd", 1, 0, 3_600.0), TierPace("expert", 1, 1, 3_600.0)]


def test_a_pace_reaches_back_as_far_as_the_newest_rows(
    room: LeadRoom, database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lead, "NEWEST", 3)
    ann = add_annotator(database, "ann")
    ids = [f"i{number}" for number in range(6)]
    add_items(database, ids)
    for item in ids:
        clock.advance(10)
        add_answer(database, item, ann, 1)
    clock.advance(10)
    (pace,) = room.lead_rows().paces
    assert (pace.answered, pace.seconds) == (3, pytest.approx(30, abs=1))


def test_work_of_the_day_is_told_without_what_was_taken_back(
    room: LeadRoom, database: Database, clock: MovableClock
) -> None:
    add_items(database, ["a", "b", "c"])
    questions = QuestionRoom(database)
    ann = questions.enroll("ann", "expert").id
    add_annotator(database, "never answered")
    for item, seconds in (("a", 4.0), ("b", 6.0), ("c", 11.0)):
        question = add_question(database, item, price=500)
        questions.lease(ann, "expert", 1, 60)
        questions.answer(question, ann, 1, seconds)
        if item == "a":
            clock.advance(86_400)
    questions.undo(ann, 60)
    (record,) = room.lead_rows().reviewers
    assert (record.name, record.tier, record.today, record.today_micros) == ("ann", "expert", 1, 500)


def test_items_on_which_answers_differ_come_newest_first_with_who_said_what(
    room: LeadRoom, database: Database
) -> None:
    add_items(database, ["same", "differ", "later", "settled"])
    ann, bob = add_annotator(database, "ann"), add_annotator(database, "bob", "crowd")
    gpt = add_annotator(database, "gpt", "llm", kind="llm")
    for item, first, second in (("same", 1, 1), ("differ", 0, 1), ("later", 1, 0)):
        add_answer(database, item, bob, first)
        add_answer(database, item, ann, second)
    add_answer(database, "later", gpt, 0)
    add_answer(database, "settled", bob, 1)
    found = room.lead_rows().disagreements
    assert [one.item for one in found] == ["later", "differ"]
    assert found[0].said == [
        Said("bob", AnnotatorKind.PERSON, "crowd", 1),
        Said("ann", AnnotatorKind.PERSON, "expert", 0),
        Said("gpt", AnnotatorKind.LLM, "llm", 0),
    ]
    assert (found[0].label, found[0].payload) == (1, b'{"text": "hello"}')


def test_an_answer_that_was_taken_back_is_no_disagreement(room: LeadRoom, database: Database) -> None:
    add_items(database, ["a"])
    questions = QuestionRoom(database)
    people = [questions.enroll(name, "expert").id for name in ("ann", "bob")]
    for person, label in zip(people, (0, 1), strict=True):
        question = add_question(database, "a")
        questions.lease(person, "expert", 1, 60)
        questions.answer(question, person, label, 1.0)
    assert len(room.lead_rows().disagreements) == 1
    questions.undo(people[1], 60)
    assert room.lead_rows().disagreements == []


def test_there_are_not_too_many_disagreements(
    room: LeadRoom, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lead, "DISAGREEMENTS", 2)
    ann, bob = add_annotator(database, "ann"), add_annotator(database, "bob")
    ids = [f"i{number}" for number in range(4)]
    add_items(database, ids)
    for item in ids:
        add_answer(database, item, ann, 0)
        add_answer(database, item, bob, 1)
    assert [one.item for one in room.lead_rows().disagreements] == ["i3", "i2"]
