"""Arrivals: one transaction under the fence, all of it or nothing."""

import threading

import numpy as np
import pytest
from decisions_for_tests import TOPIC, arrivals, ask, decision, draw, message, silent, span, start
from rows_for_tests import add_annotator, add_answer, all_rows, count

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import (
    annotators,
    budgets,
    counters,
    items,
    labels,
    outbox,
    positions,
    processes,
    questions,
    recheck,
    spend,
    vectors,
)
from daemon.adapters.store.stream import StreamRoom
from daemon.core.errors import DutyLost, FenceLost, ItemsRaced
from daemon.core.rows import Asked, FunctionVersion
from daemon.core.states import AnnotatorKind, ItemState
from daemon.core.wire import OutMessage


@pytest.fixture
def room(database: Database) -> StreamRoom:
    return StreamRoom(database, {"expert": 25, "crowd": None})


def test_positions_begin_where_the_log_does_and_then_stay(room: StreamRoom) -> None:
    assert room.locate([start(0, 7), start(1, 3)]) == [7, 3]
    assert room.locate([start(1, 99), start(0, 99), start(2, 0)]) == [3, 7, 0]
    assert room.locate([]) == []


def test_a_batch_is_stored_with_everything(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    made = decision(2, ItemState.READY, asks=[ask(1)], bundle=4, scores=[0.25, 0.75])
    room.save_batch([span(0, 5)], arrivals(["a", "b"], vectors=True), made, silent, {"dead_letter:json": 3})

    first, second = all_rows(database, items)
    assert (first.id, first.offset, first.state, first.revision, first.bundle) == ("a", 0, "ready", 1, 4)
    assert first.payload == b'{"id": "a", "text": "hello"}'
    assert np.frombuffer(first.inline, np.int8).tolist() == [1, -1]
    assert np.frombuffer(first.posterior, "<f4").tolist() == pytest.approx([0.2, 0.8])
    assert (first.score, second.score) == (0.25, 0.75)
    assert first.ready_since == first.arrived == first.changed
    assert [row.vector for row in all_rows(database, vectors)] == [
        np.array([0, 1, 2], "<f2").tobytes(),
        np.array([3, 4, 5], "<f2").tobytes(),
    ]
    assert [(row.item, row.revision, row.status) for row in all_rows(database, labels)] == [
        ("a", 1, "provisional"),
        ("b", 1, "provisional"),
    ]
    (question,) = all_rows(database, questions)
    assert (question.item, question.tier, question.purpose, question.state) == (
        "b",
        "expert",
        "settle",
        "open",
    )
    assert count(database, spend) == 0, "it is paid for when somebody leases it"
    (position,) = all_rows(database, positions)
    assert (position.next_offset, position.stored) == (5, 2)
    day, dead = all_rows(database, counters)
    assert (day.name.partition(":")[0], day.value) == ("arrived", 2)
    assert (dead.name, dead.value) == ("dead_letter:json", 3)


def test_what_is_not_published_has_no_revision(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    room.save_batch([span(0, 1)], arrivals(["a"]), decision(1, publish=False), silent, {})
    (row,) = all_rows(database, items)
    assert (row.revision, row.ready_since) == (0, None)
    assert count(database, labels) == 0


def test_a_batch_of_dead_letters_alone_moves_on(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    dead = message("broken", topic="dead-letters")
    room.save_batch([span(0, 1)], None, None, lambda asked: [dead], {"dead_letter:json": 1})
    room.save_batch([span(1, 2)], None, None, silent, {"dead_letter:json": 1, "dead_letter:utf8": 0})
    assert [row.messages for row in room.outbox(9)] == [[dead]]
    assert [(row.name, row.value) for row in all_rows(database, counters)] == [("dead_letter:json", 2)]


def test_a_stale_fence_writes_nothing(database: Database, room: StreamRoom) -> None:
    room.locate([start(0), start(1)])
    room.save_batch([span(0, 5, partition=1)], None, None, silent, {})
    late = [span(0, 3, partition=0), span(0, 3, partition=1)]
    with pytest.raises(FenceLost, match=r"items\[1\] does not stand at 0"):
        room.save_batch(late, arrivals(["a"]), decision(1), lambda asked: [message("a")], {"x": 1})
    assert room.locate([start(0), start(1)]) == [0, 5]
    assert [count(database, table) for table in (items, labels, outbox, counters)] == [0, 0, 0, 0]


def test_an_unknown_partition_is_a_lost_fence(room: StreamRoom) -> None:
    with pytest.raises(FenceLost):
        room.save_batch([span(0, 3)], None, None, silent, {})


def test_an_id_that_was_stored_meanwhile_rolls_everything_back(database: Database, room: StreamRoom) -> None:
    room.locate([start(0), start(1)])
    room.save_batch([span(0, 1)], arrivals(["b"]), decision(1), silent, {})
    with pytest.raises(ItemsRaced):
        room.save_batch(
            [span(0, 3, partition=1)],
            arrivals(["a", "b", "c"], partition=1),
            decision(3, asks=[ask(0)]),
            silent,
            {},
        )
    assert [row.id for row in all_rows(database, items)] == ["b"]
    assert room.locate([start(1)]) == [0]
    assert [count(database, table) for table in (questions, spend, budgets)] == [0, 0, 0]
    assert room.digests(["a", "b", "c"]) == {"b": b"b".ljust(16, b"\0")}


def test_two_workers_at_one_position_store_the_batch_once(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def work() -> None:
        ready.wait(timeout=30)
        try:
            room.save_batch([span(0, 50)], arrivals([f"i{n}" for n in range(50)]), decision(50), silent, {})
            outcomes.append("saved")
        except FenceLost:
            outcomes.append("fenced")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["fenced", "saved"]
    assert count(database, items) == 50


def test_workers_that_store_the_same_ids_in_other_orders_do_not_lock_each_other_out(
    database: Database, room: StreamRoom
) -> None:
    room.locate([start(0), start(1)])
    ids = [f"i{n:03}" for n in range(200)]
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def work(partition: int, order: list[str]) -> None:
        ready.wait(timeout=30)
        try:
            room.save_batch([span(0, 200, partition)], arrivals(order, partition), decision(200), silent, {})
            outcomes.append("saved")
        except ItemsRaced:
            outcomes.append("raced")

    threads = [threading.Thread(target=work, args=pair) for pair in ((0, ids), (1, ids[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["raced", "saved"]


def test_compose_hears_of_the_questions_that_were_really_made(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    heard: list[Asked] = []

    def compose(asked: list[Asked]) -> list[OutMessage]:
        heard.extend(asked)
        return [message(str(one.question), topic="questions") for one in asked]

    wanted = [draw(0, priority=1), draw(1, priority=3), draw(2, priority=2), ask(3, tier="crowd", priority=0)]
    room.save_batch([span(0, 4)], arrivals(["a", "b", "c", "d"]), decision(4, asks=wanted), compose, {})

    made = {row.id: row.item for row in all_rows(database, questions)}
    assert {(made[one.question], one.ask.row) for one in heard} == {("b", 1), ("c", 2), ("d", 3)}
    (row,) = room.outbox(9)
    assert [sent.value for sent in row.messages] == [str(one.question).encode() for one in heard]


def test_what_the_budget_refused_is_looked_at_when_the_next_day_starts(
    database: Database, room: StreamRoom, clock: MovableClock
) -> None:
    room.locate([start()])
    wanted = [draw(row) for row in range(4)]
    room.save_batch([span(0, 4)], arrivals(["a", "b", "c", "d"]), decision(4, asks=wanted), silent, {})
    assert [(row.item, row.reason) for row in all_rows(database, recheck)] == [
        ("c", "budget"),
        ("d", "budget"),
    ]
    again = decision(2)
    assert room.work_rechecks(9, lambda found: (again, silent)) == 0
    clock.advance(86_400)
    assert room.work_rechecks(9, lambda found: (again, silent)) == 2


def test_an_item_that_was_answered_before_it_came_is_looked_at_again(
    database: Database, room: StreamRoom
) -> None:
    room.locate([start()])
    person = add_annotator(database, "early")
    add_answer(database, "b", person, 1)
    with database.write() as connection:
        connection.execute(recheck.delete())
    room.save_batch([span(0, 2)], arrivals(["a", "b"]), decision(2), silent, {})
    assert [row.item for row in all_rows(database, recheck)] == ["b"]


def test_the_outbox_keeps_order_within_each_output_partition(database: Database, room: StreamRoom) -> None:
    room.locate([start()])
    sent = [message("1", 0), message("2", 1), message("3", 0)]
    room.save_batch([span(0, 1)], None, None, lambda asked: sent, {})
    room.save_batch([span(1, 2)], None, None, lambda asked: [message("4", 0)], {})
    rows = room.outbox(9)
    assert [row.messages for row in rows] == [[sent[0], sent[2]], [sent[1]], [message("4", 0)]]
    assert [row.seq for row in room.outbox(2)] == [row.seq for row in rows[:2]]

    duty = room.take_duty("publishing", "me", 10)
    assert duty is not None
    room.published(duty, [rows[0].seq, rows[2].seq])
    assert [row.messages for row in room.outbox(9)] == [[sent[1]]]


def test_only_the_holder_of_the_duty_removes_what_was_published(
    database: Database, room: StreamRoom, clock: MovableClock
) -> None:
    room.locate([start()])
    room.save_batch([span(0, 1)], None, None, lambda asked: [message("1")], {})
    mine = room.take_duty("publishing", "me", 10)
    assert mine is not None
    clock.advance(11)
    assert room.take_duty("publishing", "you", 10) is not None
    with pytest.raises(DutyLost):
        room.published(mine, [row.seq for row in room.outbox(9)])
    assert count(database, outbox) == 1


def test_function_sets_decode_their_columns(room: StreamRoom) -> None:
    one, two = FunctionVersion("links", "v1"), FunctionVersion("shouting", "v1")
    both = room.register_functions([one, two])
    assert room.register_functions([one, two]) == both
    turned = room.register_functions([two, one])
    assert turned.id != both.id
    assert turned.annotators == both.annotators[::-1]
    changed = room.register_functions([one, FunctionVersion("shouting", "v2")])
    assert changed.annotators[0] == both.annotators[0]
    assert changed.annotators[1] != both.annotators[1]
    assert room.function_keys(turned.id) == [two, one]
    assert room.register_functions([]).annotators == ()


def test_an_annotator_is_registered_once(database: Database, room: StreamRoom) -> None:
    first = room.register_annotator(AnnotatorKind.LLM, "gpt", "prompt-1", "llm")
    assert room.register_annotator(AnnotatorKind.LLM, "gpt", "prompt-1", "llm") == first
    assert room.register_annotator(AnnotatorKind.LLM, "gpt", "prompt-2", "llm") != first
    assert count(database, annotators) == 2


def test_reports_replace_each_other(database: Database, room: StreamRoom) -> None:
    room.report("run-1", "run", {"lag": 5})
    room.report("run-1", "run", {"lag": 0})
    (row,) = all_rows(database, processes)
    assert (row.kind, row.report) == ("run", '{"lag": 0}')


def test_items_are_counted_where_they_came_from(database: Database, room: StreamRoom) -> None:
    room.locate([start(0), start(1)])
    room.save_batch([span(0, 9), span(0, 1, 1)], arrivals(["a", "b"]), decision(2), silent, {})
    assert [(row.topic_id, row.partition, row.stored) for row in all_rows(database, positions)] == [
        (TOPIC, 0, 2),
        (TOPIC, 1, 0),
    ]
