"""What pages show is what the tables hold, on both databases."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question
from sqlalchemy import insert, update

from daemon.adapters.store import bulk
from daemon.adapters.store.codec import label_bytes, pack_frozen
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import (
    bundles,
    controls,
    flags,
    function_sets,
    items,
    labels,
    outbox,
    processes,
    truths,
    windows,
)
from daemon.core.report_rows import AuditedPair, ModelFacts
from daemon.core.story_rows import ControlAnswer, RaisedFlag, VouchedLabel
from daemon.core.window_rows import Frozen
from models.bundle import Bundle
from models.gold import Gold

MODEL = Bundle.from_priors(("ham", "spam"), {"expert": 0.9})
CAPS = {"expert": 1_000, "crowd": None}


@pytest.fixture
def room(database: Database) -> ReportRoom:
    return ReportRoom(database, CAPS, frozenset({"expert"}))


def _labels(*classes: int) -> bytes:
    return np.array(classes, np.int8).tobytes()


def _closed_window(database: Database, certified: int) -> int:
    frozen = Frozen(
        ["a", "b", "c"], np.array([0.9, 0.8, 0.7], np.float32), np.array([[1], [0], [1]], np.int8)
    )
    row = {
        "state": "closed",
        "n": 3,
        "p": 0.5,
        "alpha": 0.05,
        "delta": 0.1,
        "lambdas": b"",
        "start": 0,
        "tier": "expert",
        "price": 10,
        "priority": 20.0,
        "deadline": 0,
        "frozen_at": 0,
        "frozen": pack_frozen(frozen),
        "audited": np.array([0, 2], "<i4").tobytes(),
        "wrong": _labels(0, 1),
        "tau": 0.75,
        "certified": certified,
        "closed_at": 7,
    }
    with database.write() as connection:
        return int(connection.execute(insert(windows).values(**row).returning(windows.c.id)).scalar_one())


def _publish(database: Database, item: str, revision: int, label: int, status: str, at: int) -> None:
    row = {
        "item": item,
        "revision": revision,
        "labels": _labels(label),
        "probabilities": np.array([0.25, 0.75], np.float32).tobytes(),
        "status": status,
        "cost": 0,
        "at": at,
    }
    with database.write() as connection:
        connection.execute(insert(labels).values(**row))


def test_an_empty_database_has_an_overview(room: ReportRoom) -> None:
    overview = room.overview()
    assert overview.states == overview.statuses == overview.classes == {}
    assert len(overview.arrivals) == 60
    assert (overview.bundle, overview.automated, overview.gold, overview.answers) == (None, 0, 0, 0)
    assert [(one.tier, one.spent, one.today_cap) for one in overview.spending] == [
        ("crowd", 0, None),
        ("expert", 0, 1_000),
    ]


def test_items_are_counted_by_state_status_and_class(room: ReportRoom, database: Database) -> None:
    add_items(database, ["a", "b"], state="asking")
    add_items(database, ["c"], state="ready", revision=0, labels=_labels(0))
    add_items(database, ["d", "e", "f"], state="certified")
    add_items(database, ["g"], state="human", labels=_labels(0))
    add_answer(database, "d", add_annotator(database, "ann"), 1, purpose="audit")
    add_answer(database, "e", add_annotator(database, "gpt", kind="llm"), 1)
    overview = room.overview()
    assert overview.states == {"asking": 2, "ready": 1, "certified": 3, "human": 1}
    assert overview.statuses == {"provisional": 2, "certified": 3, "human": 1}
    assert overview.classes == {0: 2, 1: 5}
    assert overview.automated == 3
    assert (overview.gold, overview.answers, overview.rechecks) == (1, 2, 2)


def test_gold_answers_are_counted_by_the_class_that_they_name(room: ReportRoom, database: Database) -> None:
    add_items(database, ["a", "b", "c", "d"])
    ann = add_annotator(database, "ann")
    add_answer(database, "a", ann, 1, purpose="audit")
    add_answer(database, "b", ann, 1, purpose="gold")
    add_answer(database, "c", ann, 0, purpose="gold")
    add_answer(database, "d", ann, 0, purpose="settle")
    overview = room.overview()
    assert overview.gold_classes == {0: 1, 1: 2}
    assert (overview.gold, overview.answers) == (3, 4)


def test_people_are_counted_beside_each_tier(room: ReportRoom, database: Database) -> None:
    add_items(database, ["a", "b", "c"])
    ann, eve = (add_annotator(database, name) for name in ("ann", "eve"))
    bob = add_annotator(database, "bob", "crowd")
    add_annotator(database, "never", "crowd")
    gpt = add_annotator(database, "gpt", None, kind="llm")
    for item in ("a", "b", "c"):
        add_answer(database, item, bob, 1)
        add_answer(database, item, gpt, 1)
    for item, who in (("a", ann), ("a", eve), ("b", ann)):
        add_answer(database, item, who, 1)
    people = {person.name: person for person in room.overview().people}
    assert [*people] == ["bob", "ann", "eve"]
    assert (people["bob"].answers, people["bob"].beside) == (3, {"expert": 2})
    assert (people["ann"].answers, people["ann"].beside) == (2, {"crowd": 2, "expert": 1})
    assert people["eve"].beside == {"crowd": 1, "expert": 1}


def test_annotators_are_judged_by_experts_who_answered_later(room: ReportRoom, database: Database) -> None:
    add_items(database, ["a", "b", "c", "d"])
    ann, bob = add_annotator(database, "ann"), add_annotator(database, "bob", "crowd")
    gpt = add_annotator(database, "llm/plain", "llm", kind="llm")
    for item, label in (("a", 1), ("b", 1), ("c", 0)):
        add_answer(database, item, gpt, label)
    add_answer(database, "a", bob, 0)
    add_answer(database, "d", ann, 1, purpose="audit")
    add_answer(database, "d", bob, 1)  # after the audit: asked for by a rule that had seen it
    add_answer(database, "a", ann, 1, purpose="audit")
    add_answer(database, "b", ann, 0, purpose="gold")
    add_answer(database, "c", ann, 0, purpose="settle")
    records = {record.name: record for record in room.overview().annotators}
    assert {name: record.answers for name, record in records.items()} == {"bob": 2, "llm/plain": 3, "ann": 1}
    model, person = records["llm/plain"], records["bob"]
    assert model.accuracy is not None and (model.accuracy.answered, model.accuracy.correct) == (3, 2)
    assert model.accuracy.low < 0.6 < model.accuracy.high
    assert person.accuracy is not None and (person.accuracy.answered, person.accuracy.correct) == (1, 0)
    assert records["ann"].accuracy is None


def test_arrivals_are_counted_by_the_minute(
    room: ReportRoom, database: Database, clock: MovableClock
) -> None:
    add_items(database, ["long ago"])
    clock.advance(2 * 3_600)
    add_items(database, ["a", "b"])
    clock.advance(120)
    add_items(database, ["c"])
    overview = room.overview()
    assert [count for _, count in overview.arrivals if count] == [2, 1]
    assert overview.arrivals[-1][1] == overview.items_per_minute == 1
    assert [minute for minute, _ in overview.arrivals] == list(
        range(overview.arrivals[0][0], overview.arrivals[0][0] + 60)
    )


def test_queues_count_lapsed_leases_as_open(
    room: ReportRoom, database: Database, clock: MovableClock
) -> None:
    people = QuestionRoom(database)
    add_items(database, ["a", "b", "c", "d"])
    for item in ("a", "b", "c"):
        add_question(database, item, "crowd")
    add_question(database, "d", "expert", purpose="audit")
    ann = people.enroll("ann", "crowd").id
    first, second = people.lease(ann, "crowd", 2, 60.0)
    people.answer(first.question, ann, 1, 3.0)
    queues = {(queue.tier, queue.purpose): queue for queue in room.overview().queues}
    crowd = queues["crowd", "settle"]
    assert (crowd.open, crowd.leased, crowd.answered) == (1, 1, 1)
    assert queues["expert", "audit"].open == 1
    clock.advance(90)
    later = ReportRoom(database, CAPS).overview()
    lapsed = next(queue for queue in later.queues if queue.tier == "crowd")
    assert (lapsed.open, lapsed.leased) == (2, 0)
    assert 90 <= lapsed.oldest_age < 150
    assert second.until > 0


def test_money_by_tier(room: ReportRoom, database: Database) -> None:
    add_items(database, ["a", "b"])
    ann = add_annotator(database, "ann")
    add_answer(database, "a", ann, 1, add_question(database, "a", price=250))
    add_question(database, "b", purpose="audit", price=100)
    spending = {one.tier: one for one in room.overview().spending}
    expert = spending["expert"]
    assert (expert.answers, expert.spent, expert.seconds) == (1, 250, 1.0)
    assert (expert.today_cap, expert.today_reserved, expert.today_spent) == (1_000, 100, 250)


def test_closed_windows_newest_first(room: ReportRoom, database: Database) -> None:
    older, newer = _closed_window(database, 1), _closed_window(database, 2)
    for _ in range(2):  # the second look comes from memory
        found = room.overview().windows
        assert [(window.id, window.certified) for window in found] == [(newer, 2), (older, 1)]
        assert sorted(room.overview().chances) == [older, newer]
    assert found[0].scores.tolist() == [np.float32(0.9), np.float32(0.7)]
    assert found[0].wrong.tolist() == [False, True]


def test_audits_are_told_by_true_and_frozen_class(room: ReportRoom, database: Database) -> None:
    add_items(database, ["a", "b", "c"])
    window = _closed_window(database, 1)
    ann = add_annotator(database, "ann")
    for item, truth, chance in (("a", 0, None), ("c", 1, 0.25)):
        question = add_question(database, item, purpose="audit", window=window, chance=chance)
        add_answer(database, item, ann, truth, question, purpose="audit")
    unanswered = add_question(database, "b", purpose="audit", window=window)
    assert unanswered
    for _ in range(2):  # the second look comes from memory
        pairs = sorted(room.overview().audited, key=lambda pair: pair.truth)
        assert pairs == [AuditedPair(0, 1, 1, 2.0), AuditedPair(1, 1, 1, 4.0)]


def test_processes_counters_bundle_and_outbox(
    room: ReportRoom, database: Database, clock: MovableClock
) -> None:
    with database.write() as connection:
        now = database.now(connection)
        report = json.dumps({"lag": 12})
        connection.execute(insert(processes).values(name="run-1", kind="run", at=now, report=report))
        bulk.add_counts(connection, {"dead_letter:not_json": 3, "function_failure:has:colon": 2})
        connection.execute(insert(outbox).values(topic="labels", partition=0, messages=b""))
        promoted = {
            "digest": "d1",
            "data": MODEL.to_bytes(),
            "trained_at": 5,
            "answers_seen": 0,
            "current": True,
        }
        connection.execute(insert(bundles).values(**promoted))
    clock.advance(20)
    overview = room.overview()
    (process,) = overview.processes
    assert (process.name, process.kind, process.report) == ("run-1", "run", {"lag": 12})
    assert 20 <= process.age < 60
    assert overview.dead_letters == {"not_json": 3}
    assert overview.function_failures == {"has:colon": 2}
    assert overview.outbox == 1
    assert overview.bundle is not None
    assert (overview.bundle.digest, overview.bundle.data) == ("d1", b"")
    assert overview.model == ModelFacts("majority", (("majority", 1.0),), 0, 0.0)


def test_the_facts_of_the_promoted_bundle_are_followed(room: ReportRoom, database: Database) -> None:
    row = {"digest": "d", "trained_at": 5, "answers_seen": 0}
    with database.write() as connection:
        connection.execute(insert(bundles).values(**row, data=MODEL.to_bytes(), current=False))
    assert (room.overview().model, room.overview().rejected) == (None, 1)
    newer = replace(MODEL, label_model="pool", gold=Gold(50, 41.5, (30.0, 11.5)))
    with database.write() as connection:
        connection.execute(insert(bundles).values(**row, data=MODEL.to_bytes(), current=True))
    assert room.overview().model is not None
    assert room.overview().rejected == 0, "the first bundle is there"
    with database.write() as connection:
        connection.execute(update(bundles).values(current=False))
        connection.execute(insert(bundles).values(**row, data=newer.to_bytes(), current=True))
    assert room.overview().model == ModelFacts("pool", (("majority", 1.0),), 50, 41.5)


def test_the_story_tells_of_flags_control_questions_and_who_vouches(
    room: ReportRoom, database: Database
) -> None:
    add_items(database, ["a", "b"])
    ann, ben = add_annotator(database, "ann"), add_annotator(database, "ben")
    first, second, open_one = (add_question(database, "a") for _ in range(3))
    ham, spam = label_bytes(0, 1), label_bytes(1, 1)
    with database.write() as connection:
        flag = {"question": first, "annotator": ann, "item": "a", "tier": "crowd", "note": "two languages"}
        connection.execute(insert(flags).values(**flag, at=30))
        connection.execute(
            insert(controls),
            [
                {"question": first, "annotator": ann, "item": "a", "truth": spam, "labels": ham, "at": 20},
                {"question": second, "annotator": ben, "item": "a", "truth": spam, "labels": spam, "at": 10},
                {
                    "question": open_one,
                    "annotator": ben,
                    "item": "a",
                    "truth": spam,
                    "labels": None,
                    "at": None,
                },
            ],
        )
        connection.execute(insert(truths).values(item="a", labels=spam, source="lead", at=5))
    story = room.item("a")
    assert story is not None
    assert story.flags == [RaisedFlag("ann", "crowd", "two languages", 30)]
    assert story.controls == [ControlAnswer("ben", 1, True, 10), ControlAnswer("ann", 0, False, 20)]
    assert story.vouched == VouchedLabel(1, "lead", 5)
    other = room.item("b")
    assert other is not None
    assert (other.flags, other.controls, other.vouched) == ([], [], None)


def test_the_story_of_an_item(room: ReportRoom, database: Database) -> None:
    functions = [add_annotator(database, name, None, "function") for name in ("has_link", "shouts", "short")]
    with database.write() as connection:
        row = function_sets.insert().values(annotators=np.array(functions, "<i4").tobytes())
        made = connection.execute(row.returning(function_sets.c.id)).scalar_one()
    add_items(database, ["a"], functions=made, revision=2)
    _publish(database, "a", 1, 0, "provisional", 10)
    _publish(database, "a", 2, 1, "human", 20)
    ann = add_annotator(database, "ann")
    add_answer(database, "a", ann, 1, add_question(database, "a", price=250))
    story = room.item("a")
    assert story is not None
    assert [(vote.name, vote.options) for vote in story.votes] == [
        ("has_link", (1,)),
        ("shouts", (-1,)),
        ("short", (0,)),
    ]
    (answer,) = story.answers
    assert (answer.name, answer.tier, answer.label, answer.cost) == ("ann", "expert", 1, 250)
    assert [(one.revision, one.label, one.status) for one in story.revisions] == [
        (1, 0, "provisional"),
        (2, 1, "human"),
    ]
    assert [question.state for question in story.questions] == ["answered"]
    assert story.posterior == pytest.approx((0.3, 0.7))
    assert story.classifier is None
    assert room.item("unknown") is None


def test_recent_labels_are_current_and_newest_first(
    room: ReportRoom, database: Database, clock: MovableClock
) -> None:
    add_items(database, ["old"], revision=2)
    _publish(database, "old", 1, 0, "provisional", 10)
    _publish(database, "old", 2, 1, "human", 99)
    clock.advance(60)
    add_items(database, ["new", "newer"], revision=1)
    add_items(database, ["held"], revision=0)
    _publish(database, "new", 1, 1, "provisional", 50)
    _publish(database, "newer", 1, 1, "provisional", 60)
    assert [row.item for row in room.recent_labels(2)] == ["newer", "new"]
    add_answer(database, "old", add_annotator(database, "ann"), 1)
    rows = room.recent_labels(3)
    assert [(row.item, row.revision, row.status) for row in rows] == [
        ("old", 2, "human"),
        ("newer", 1, "provisional"),
        ("new", 1, "provisional"),
    ]
    assert rows[0].probabilities == (0.25, 0.75)


def test_deleted_rows_do_not_break_the_windows(room: ReportRoom, database: Database) -> None:
    _closed_window(database, 1)
    assert len(room.overview().windows) == 1
    with database.write() as connection:
        connection.execute(windows.delete())
        connection.execute(items.delete())
    assert room.overview().windows == []
