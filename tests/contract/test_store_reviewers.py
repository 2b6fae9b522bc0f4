"""How reviewers stand, on both databases: what they did, and who is paused by whom."""

import pytest
from rows_for_tests import add_answer, add_items, add_question, all_rows, count

from daemon.adapters.store import paces
from daemon.adapters.store.controls import Controls
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reviewers import ReviewerRoom
from daemon.adapters.store.schema import questions
from daemon.adapters.store.schema_accounts import audit_log
from daemon.core.account_rows import Actor
from daemon.core.control_settings import ControlSettings
from daemon.core.errors import ReviewerPaused, UnknownReviewer
from daemon.core.states import PersonState

LEAD = Actor("lea", "10.0.0.7")
RULES = {"crowd": ControlSettings(onboarding=9, pause_below=0.9, pause_after=2)}


@pytest.fixture
def people(database: Database) -> QuestionRoom:
    add_items(database, [f"i{number}" for number in range(18)])
    room = QuestionRoom(database, controls=Controls(RULES, {"crowd": 5_000}, frozenset({"expert"})))
    ann = room.enroll("ann", "expert").id
    for number in range(6):
        add_answer(database, f"i{number}", ann, 1, purpose="gold")
    for number in range(6, 18):
        add_question(database, f"i{number}", "crowd", price=5_000)
    return room


def answer_all(room: QuestionRoom, person: int, count: int, label: int) -> None:
    for lease in room.lease(person, "crowd", count, 60.0):
        room.answer(lease.question, person, label, 4.0)


def test_what_everybody_did_is_told(database: Database, people: QuestionRoom) -> None:
    bob = people.enroll("bob", "crowd").id
    answer_all(people, bob, 6, 1)
    answer_all(people, bob, 3, 1)
    told, ann = ReviewerRoom(database).reviewers()
    assert (ann.name, ann.tier, ann.answers, ann.controls, ann.micros) == ("ann", "expert", 6, 0, 0)
    assert (told.id, told.name, told.tier, told.state) == (bob, "bob", "crowd", PersonState.ACTIVE)
    assert (told.answers, told.controls, told.right, told.seconds) == (3, 6, 6, 4.0)
    assert told.micros == 9 * 5_000


def test_who_is_paused_for_wrong_answers_is_let_go_on_with_a_new_count(
    database: Database, people: QuestionRoom, clock: MovableClock
) -> None:
    bob, room = people.enroll("bob", "crowd").id, ReviewerRoom(database)
    with pytest.raises(ReviewerPaused):
        answer_all(people, bob, 6, 0)
    (paused, _) = room.reviewers()
    assert (paused.state, paused.note) == (PersonState.PAUSED, "0 of the last 2 control questions right")
    clock.advance(1)
    room.set_state(bob, PersonState.ACTIVE, "", LEAD)
    (again, _) = room.reviewers()
    assert (again.state, again.note, again.controls) == (PersonState.ACTIVE, None, 0)
    assert people.lease(bob, "crowd", 1, 60.0)


def test_what_a_tier_gave_is_read_once_for_all_but_who_gave_most_of_it(
    database: Database, people: QuestionRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paces, "OTHERS", 4)
    monkeypatch.setattr(paces, "TOGETHER", 8)
    bob, cy = people.enroll("bob", "crowd").id, people.enroll("cy", "crowd").id
    for number in range(3):
        add_answer(database, f"i{number}", cy, 0)
    for number in range(9):
        add_answer(database, f"i{number}", bob, int(number > 5))
    with database.read() as connection:
        newest = paces.newest(connection, "crowd")
    beside_cy = newest.of_others(cy)
    assert beside_cy is not None
    assert beside_cy.labels.tolist() == [0, 1, 1, 1], "in the order in which they were given"
    assert newest.of_others(bob) is None, "cy's lie further back than was read"


def test_a_lead_pauses_and_the_log_says_so(database: Database, people: QuestionRoom) -> None:
    bob, room = people.enroll("bob", "crowd").id, ReviewerRoom(database)
    people.lease(bob, "crowd", 3, 60.0)
    room.set_state(bob, PersonState.PAUSED, "on holiday", LEAD)
    room.set_state(bob, PersonState.PAUSED, "again", LEAD)
    with pytest.raises(ReviewerPaused, match="you are paused: on holiday"):
        people.lease(bob, "crowd", 1, 60.0)
    assert count(database, questions, questions.c.holder == bob) == 0
    (line,) = all_rows(database, audit_log)
    assert (line.actor, line.action, line.subject) == ("lea", "reviewer paused", "bob in crowd")
    assert (line.detail, line.address) == ("on holiday", "10.0.0.7")


def test_nobody_unknown_is_paused(database: Database, people: QuestionRoom) -> None:
    with pytest.raises(UnknownReviewer, match="reviewer 99"):
        ReviewerRoom(database).set_state(99, PersonState.PAUSED, "", LEAD)


def test_who_clicks_without_reading_is_told_and_paused_where_the_tier_wants_it(database: Database) -> None:
    ids = [f"c{number}" for number in range(130)]
    add_items(database, ids)
    mixed = Controls({"crowd": ControlSettings(pause_clicking=True)})
    room = QuestionRoom(database, controls=mixed)
    cy, bob = room.enroll("cy", "crowd").id, room.enroll("bob", "crowd").id
    for number, item in enumerate(ids):
        add_question(database, item, "crowd")
        lease = room.lease(cy, "crowd", 1, 60.0)[0]
        room.answer(lease.question, cy, number % 2, 5.0 + number % 7)
    for item in ids[:40]:
        add_question(database, item, "crowd")
    with pytest.raises(ReviewerPaused, match=r"in less than 2\.5 s; .* times the same answer in a row"):
        for _ in range(40):
            room.answer(room.lease(bob, "crowd", 1, 60.0)[0].question, bob, 1, 0.3)
    told, other = ReviewerRoom(database).reviewers()
    assert (told.name, told.state, other.suspicions) == ("bob", PersonState.PAUSED, [])
