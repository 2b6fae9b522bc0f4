"""Rechecks: taken by one worker, decided on locked items, written in the same transaction."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from decisions_for_tests import always, arrivals, ask, decision, message, silent, span, start
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows, count
from sqlalchemy import insert

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import budgets, items, labels, outbox, questions, recheck, spend, windows
from daemon.adapters.store.stream import StreamRoom
from daemon.core.rows import Compose, Decision, OpenItem
from daemon.core.states import AnnotatorKind, ItemState, LabelStatus, Purpose, QuestionState


@pytest.fixture
def room(database: Database) -> StreamRoom:
    return StreamRoom(database, {"expert": None})


def _recheck(database: Database, *ids: str, due: int = 0, reason: str = "answer") -> None:
    with database.write() as connection:
        connection.execute(insert(recheck), [{"item": id_, "reason": reason, "due": due} for id_ in ids])


def _window(database: Database, state: str = "open") -> int:
    row = {
        "state": state,
        "n": 1,
        "p": 0.5,
        "alpha": 0.05,
        "delta": 0.1,
        "lambdas": b"",
        "start": 0,
        "tier": "expert",
        "price": 0,
        "priority": 0.0,
        "deadline": 0,
        "frozen_at": 0,
        "frozen": b"",
    }
    with database.write() as connection:
        return int(connection.execute(insert(windows).values(**row).returning(windows.c.id)).scalar_one())


def test_all_that_is_known_about_an_item_is_told(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    room.save_batch([span(0, 1)], arrivals(["a"], vectors=True), decision(1, bundle=3), silent, {})
    ann, bob = add_annotator(database, "ann"), add_annotator(database, "bob", tier="crowd")
    first = add_question(database, "a", tier="crowd", price=7)
    second = add_question(database, "a", purpose="adjudicate", price=9)
    add_answer(database, "a", bob, 0, first)
    late = add_answer(database, "a", ann, 1, purpose="learn")
    decide = always(decision(1))

    assert room.work_rechecks(9, decide) == 1

    (item,) = decide.seen
    assert (item.id, item.state, item.revision, item.sent_back, item.bundle) == (
        "a",
        ItemState.ASKING,
        1,
        0,
        3,
    )
    assert (item.cost, item.window, item.payload) == (7, None, b'{"id": "a", "text": "hello"}')
    assert item.inline.tolist() == [1, -1]
    assert item.posterior.tolist() == pytest.approx([0.2, 0.8])
    assert (item.labels.tolist(), item.score) == ([1], pytest.approx(0.8))
    assert item.vector is not None
    assert (item.vector.tolist(), item.encoder) == ([0, 1, 2], "small")
    assert [(a.annotator, a.name, a.kind, a.tier, a.purpose, a.label) for a in item.answers] == [
        (bob, "bob", AnnotatorKind.PERSON, "crowd", Purpose.SETTLE, 0),
        (ann, "ann", AnnotatorKind.PERSON, "expert", Purpose.LEARN, 1),
    ]
    assert late == 2
    (wanted,) = item.wanted
    assert (wanted.question, wanted.purpose, wanted.state) == (second, Purpose.ADJUDICATE, QuestionState.OPEN)


def test_a_retracted_answer_is_not_told(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a"])
    add_answer(database, "a", add_annotator(database, "ann"), 1)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE answers SET retracted_at = 1")
    decide = always(decision(1))
    room.work_rechecks(9, decide)
    assert list(decide.seen[0].answers) == []


def test_the_decision_is_written(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a", "b"])
    _recheck(database, "a", "b")
    made = decision(2, ItemState.HUMAN, label=0, status=LabelStatus.HUMAN, bundle=8, scores=[0.5, 1.0])
    made = Decision(
        posterior=made.posterior,
        labels=made.labels,
        scores=made.scores,
        classifier=None,
        bundle=8,
        states=[ItemState.HUMAN, ItemState.ASKING],
        publish=np.array([True, False]),
        status=made.status,
        withdraw=made.withdraw,
        asks=[ask(1, price=6)],
    )
    assert room.work_rechecks(9, always(made, lambda asked: [message(f"{len(asked)} asked")])) == 2

    first, second = all_rows(database, items)
    assert (first.state, first.revision, first.bundle, first.score) == ("human", 2, 8, 0.5)
    assert (second.state, second.revision, first.ready_since) == ("asking", 1, None)
    assert first.changed >= first.arrived
    (label,) = all_rows(database, labels)
    assert (label.item, label.revision, label.status, label.window) == ("a", 2, "human", None)
    (question,) = all_rows(database, questions)
    assert (question.item, question.price) == ("b", 6)
    assert count(database, recheck) == 0
    assert [row.messages[0].value for row in room.outbox(9)] == [b"1 asked"]


def test_a_decision_without_a_classifier_keeps_what_the_last_one_said(
    database: Database, room: StreamRoom
) -> None:
    add_items(database, ["a"], classifier=b"12345678")
    _recheck(database, "a")
    made = decision(1)
    without = Decision(
        made.posterior,
        made.labels,
        made.scores,
        None,
        None,
        made.states,
        made.publish,
        made.status,
        made.withdraw,
    )
    room.work_rechecks(9, always(without))
    (row,) = all_rows(database, items)
    assert row.classifier == b"12345678"


def test_the_cost_so_far_is_written_to_the_label(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a"])
    question = add_question(database, "a", price=12)
    add_answer(database, "a", add_annotator(database, "ann"), 1, question)
    room.work_rechecks(9, always(decision(1)))
    assert [row.cost for row in all_rows(database, labels)] == [12]


def test_several_rechecks_of_an_item_are_one_look(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a"])
    _recheck(database, "a", "a", "a")
    assert room.work_rechecks(9, always(decision(1))) == 1
    assert [row.revision for row in all_rows(database, items)] == [2]


def test_no_more_than_the_limit_are_taken_oldest_first(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a", "b", "c"])
    _recheck(database, "c", "b", "a")
    decide = always(decision(2))
    assert room.work_rechecks(2, decide) == 2
    assert [item.id for item in decide.seen] == ["b", "c"]
    assert room.work_rechecks(2, always(decision(1))) == 1
    assert room.work_rechecks(2, always(decision(1))) == 0


def test_a_recheck_that_is_not_due_waits(database: Database, room: StreamRoom, clock: MovableClock) -> None:
    add_items(database, ["a"])
    with database.read() as connection:
        later = database.now(connection) + 5_000
    _recheck(database, "a", due=later)
    assert room.work_rechecks(9, always(decision(1))) == 0
    clock.advance(6)
    assert room.work_rechecks(9, always(decision(1))) == 1


def test_withdrawn_questions_are_cancelled_and_their_money_released(
    database: Database, room: StreamRoom
) -> None:
    add_items(database, ["a", "b"])
    person = add_annotator(database, "ann")
    add_question(database, "a", price=10)
    held = add_question(database, "a", price=20, state="leased", holder=person, leased_until=9)
    done = add_question(database, "a", price=5)
    add_answer(database, "a", person, 1, done)
    kept = add_question(database, "b", price=40)
    room.work_rechecks(9, always(decision(1, withdraw=True)))
    states = {row.id: row.state for row in all_rows(database, questions)}
    assert sorted(states.values()) == ["answered", "cancelled", "cancelled", "open"]
    assert states[kept] == "open"
    assert all(row.holder is None for row in all_rows(database, questions))
    (money,) = all_rows(database, budgets)
    assert (money.reserved, money.spent) == (0, 5)
    assert {row.question: row.state for row in all_rows(database, spend)} == {held: "released", done: "spent"}


@pytest.mark.parametrize(("state", "left"), [("open", "open"), ("closed", "cancelled")])
def test_audits_of_an_open_window_are_never_withdrawn(
    database: Database, room: StreamRoom, state: str, left: str
) -> None:
    add_items(database, ["a"])
    add_question(database, "a", purpose="audit", window=_window(database, state))
    _recheck(database, "a")
    room.work_rechecks(9, always(decision(1, withdraw=True)))
    assert [row.state for row in all_rows(database, questions)] == [left]


def test_frozen_items_are_left_alone_and_their_rechecks_dropped(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a"], state="frozen")
    before = all_rows(database, items)
    _recheck(database, "a")
    assert room.work_rechecks(9, always(decision(1))) == 0
    assert all_rows(database, items) == before
    assert count(database, recheck) == 0


def test_an_item_that_is_not_there_is_looked_for_once_more(
    database: Database, room: StreamRoom, clock: MovableClock
) -> None:
    _recheck(database, "ghost", "ghost")
    assert room.work_rechecks(9, always(decision(1))) == 0
    (row,) = all_rows(database, recheck)
    assert row.item == "ghost"
    add_items(database, ["other"])
    clock.advance(61)
    assert room.work_rechecks(9, always(decision(1))) == 0
    assert count(database, recheck) == 0


def test_an_item_becomes_ready_now_but_stays_ready_since_then(
    database: Database, room: StreamRoom, clock: MovableClock
) -> None:
    add_items(database, ["a"])
    _recheck(database, "a")
    room.work_rechecks(9, always(decision(1, ItemState.READY)))
    (first,) = all_rows(database, items)
    assert first.ready_since == first.changed
    clock.advance(60)
    _recheck(database, "a")
    room.work_rechecks(9, always(decision(1, ItemState.READY)))
    (second,) = all_rows(database, items)
    assert second.ready_since == first.ready_since < second.changed


def test_an_error_in_the_decision_leaves_the_recheck_for_later(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a"])
    _recheck(database, "a")

    def broken(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        room.work_rechecks(9, broken)
    assert count(database, recheck) == 1
    assert count(database, outbox) == 0


def test_two_workers_never_decide_on_one_recheck(database: Database, room: StreamRoom) -> None:
    ids = [f"i{n:02}" for n in range(40)]
    add_items(database, ids)
    _recheck(database, *ids)
    done: list[str] = []

    def decide(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        done.extend(item.id for item in found)
        return decision(len(found)), silent

    def work() -> None:
        mine = StreamRoom(database, {})
        while mine.work_rechecks(3, decide):
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(done) == ids
    assert {row.revision for row in all_rows(database, items)} == {2}


def test_a_second_connection_skips_rechecks_that_are_held(postgres_url: str) -> None:
    database = Database(postgres_url)
    room, other = StreamRoom(database, {}), StreamRoom(database, {})
    add_items(database, ["a", "b"])
    _recheck(database, "a", "b")
    inner = always(decision(1))

    def outer(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        assert [item.id for item in found] == ["a"]
        assert other.work_rechecks(9, inner) == 1
        return decision(1), silent

    assert room.work_rechecks(1, outer) == 1
    assert [item.id for item in inner.seen] == ["b"]
    database.close()


def test_a_second_look_at_one_item_waits_for_the_first(postgres_url: str) -> None:
    database = Database(postgres_url)
    room = StreamRoom(database, {})
    add_items(database, ["a"])
    _recheck(database, "a", "a")
    seen: list[int] = []
    started = threading.Event()
    second = threading.Thread(
        target=lambda: room.work_rechecks(
            1, lambda found: (seen.append(found[0].revision), (decision(1), silent))[1]
        )
    )

    def first(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        second.start()
        started.wait(timeout=0.3)
        assert seen == []
        return decision(1), silent

    assert room.work_rechecks(1, first) == 1
    second.join(timeout=30)
    assert seen == [2]
    assert [row.revision for row in all_rows(database, items)] == [3]
    database.close()


def test_a_pick_of_the_learner_is_told(database: Database, room: StreamRoom) -> None:
    add_items(database, ["a", "b"])
    _recheck(database, "a", reason="answer")
    _recheck(database, "b", reason="bundle")
    _recheck(database, "b", reason="learn")
    decide = always(decision(2))
    assert room.work_rechecks(9, decide) == 2
    assert [(item.id, item.picked) for item in decide.seen] == [("a", False), ("b", True)]
