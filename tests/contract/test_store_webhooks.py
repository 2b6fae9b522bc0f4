"""Events for other programs: written where they happen, told once they are due, tried again, given up."""

import pytest
from rows_for_tests import add_items, add_question, all_rows, count
from window_harness import House

from daemon.adapters.store.controls import pause
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.adapters.store.outside import OutsideRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import answers, deliveries
from daemon.adapters.store.webhooks import WebhookRoom
from daemon.core.call_rows import ModelVote
from daemon.core.errors import LeaseLost
from daemon.core.outside import OutsideVote
from daemon.core.webhooks import EVENTS

HOUR = 3_600.0


def answer(database: Database, item: str, name: str = "ann", label: int = 1) -> int:
    """An answer of a person on a new item."""
    add_items(database, [item])
    question = add_question(database, item)
    room = QuestionRoom(database)
    person = room.enroll(name, "expert")
    room.lease(person.id, "expert", 1, HOUR)
    return room.answer(question, person.id, label, 2.0)


def test_nothing_is_kept_while_nobody_subscribes(database: Database) -> None:
    room = WebhookRoom(database)
    answer(database, "a")
    room.subscribe({"shop": ["paused"]})
    answer(database, "b")
    assert room.due(9) == []


def test_each_subscriber_is_told_of_the_same_event(database: Database) -> None:
    room = WebhookRoom(database)
    room.subscribe({"shop": EVENTS, "desk": ["answered"]})
    answer(database, "a")
    first, second = room.due(9)
    assert {first.webhook, second.webhook} == {"shop", "desk"}
    assert first.uid == second.uid
    assert first.facts == second.facts
    told = {"item": "a", "annotator": "ann", "kind": "person", "label": 1, "seconds": 2.0, "undone": False}
    assert told.items() <= first.facts.items()


def test_answers_of_every_kind_of_annotator_are_told(database: Database) -> None:
    WebhookRoom(database).subscribe({"shop": ["answered"]})
    add_items(database, ["a", "b"])
    models = ModelQueueRoom(database)
    model = models.enroll("llm/short", "v1", "llm").id
    models.answer(add_question(database, "a", "llm"), model, ModelVote(0, (), 1, 0.5, None))
    OutsideRoom(database, ["crowd"]).take([OutsideVote(add_question(database, "b", "crowd"), "bob", 0)])
    assert [(one.facts["kind"], one.facts["tier"]) for one in WebhookRoom(database).due(9)] == [
        ("llm", "llm"),
        ("person", "crowd"),
    ]


def test_what_is_rolled_back_is_not_told(database: Database) -> None:
    WebhookRoom(database).subscribe({"shop": ["answered"]})
    answer(database, "a")
    room = QuestionRoom(database)
    person = room.enroll("ann", "expert")
    with pytest.raises(LeaseLost):
        room.answer(add_question(database, "a"), person.id, 0, 1.0)
    assert (count(database, answers), count(database, deliveries)) == (1, 1)


def test_a_pause_is_told_once(database: Database) -> None:
    WebhookRoom(database).subscribe({"shop": ["paused"]})
    person = QuestionRoom(database).enroll("ann", "expert")
    for _ in range(2):
        with database.write() as connection:
            pause(connection, person.id, "clicks through", database.now(connection))
    (told,) = WebhookRoom(database).due(9)
    assert told.facts == {
        "reviewer": person.id,
        "annotator": "ann",
        "tier": "expert",
        "note": "clicks through",
    }


def test_a_window_is_told_if_it_released_anything(database: Database) -> None:
    WebhookRoom(database).subscribe({"shop": ["accepted"]})
    house = House(database)
    window = house.release("abcd")
    house.items("e")
    house.close(house.freeze(), back="e")
    (told,) = WebhookRoom(database).due(9)
    assert told.facts == {
        "window": window,
        "items": 4,
        "certified": 4,
        "threshold": 0.55,
        "alpha": 0.05,
        "delta": 0.1,
    }


def test_what_failed_comes_again_when_its_wait_is_over_and_then_never(
    database: Database, clock: MovableClock
) -> None:
    room = WebhookRoom(database)
    room.subscribe({"shop": ["answered"]})
    answer(database, "a")
    answer(database, "b")
    first, second = room.due(9)
    room.failed(first.id, "HTTP 500", 60.0)
    assert [one.id for one in room.due(9)] == [second.id]
    clock.advance(61)
    again = next(one for one in room.due(9) if one.id == first.id)
    assert (again.uid, again.tries) == (first.uid, 1)
    room.failed(first.id, "HTTP 500", None)
    room.delivered([second.id])
    clock.advance(HOUR)
    assert room.due(9) == []
    assert ReportRoom(database, {}).overview().webhooks == {"shop": {"dead": 1}}
    assert [row.problem for row in all_rows(database, deliveries)] == ["HTTP 500"]


def test_what_was_given_up_is_told_again_when_somebody_asks(database: Database) -> None:
    room = WebhookRoom(database)
    room.subscribe({"shop": ["answered"], "desk": ["answered"]})
    answer(database, "a")
    for one in room.due(9):
        room.failed(one.id, f"{one.webhook} is down", None)
    assert room.last_problems() == {"shop": "shop is down", "desk": "desk is down"}
    assert room.resend("shop") == 1
    (again,) = room.due(9)
    assert (again.webhook, again.tries) == ("shop", 0)
    assert room.standing() == {"shop": {"waiting": 1}, "desk": {"dead": 1}}
    assert room.resend("shop") == 0


def test_one_that_rests_holds_up_nobody_and_one_that_left_is_forgotten(database: Database) -> None:
    room = WebhookRoom(database)
    room.subscribe({"shop": ["answered"], "desk": ["answered"]})
    answer(database, "a")
    assert [one.webhook for one in room.due(9, ["shop"])] == ["desk"]
    room.subscribe({"shop": ["answered"]})
    assert [one.webhook for one in room.due(9)] == ["shop"]
    assert room.standing() == {"shop": {"waiting": 1}}
