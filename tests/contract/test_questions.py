"""Leases and answers on both databases: nobody holds what another holds, nothing is answered twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from rows_for_tests import add_items, add_question, all_rows, count

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, budgets, questions, recheck, spend, windows
from daemon.core.errors import LeaseLost, UnknownReviewer
from daemon.core.policy import AUDIT_PRIORITY, GOLD_PRIORITY

TIER = "expert"
MINUTE = 60.0


@pytest.fixture
def room(database: Database) -> QuestionRoom:
    return QuestionRoom(database)


def _asked(database: Database, *items: str, tier: str = TIER, **changes: object) -> list[int]:
    add_items(database, items)
    return [add_question(database, item, tier, **changes) for item in items]


def _window(database: Database, state: str) -> int:
    with database.write() as connection:
        row = windows.insert().values(
            state=state,
            n=1,
            p=0.1,
            alpha=0.05,
            delta=0.1,
            lambdas=b"",
            start=0,
            tier=TIER,
            price=0,
            priority=AUDIT_PRIORITY,
            deadline=0,
            frozen_at=0,
            frozen=b"",
        )
        return int(connection.execute(row.returning(windows.c.id)).scalar_one())


def _state(database: Database, question: int) -> tuple[str, int | None]:
    (row,) = all_rows(database, questions, questions.c.id == question)
    return row.state, row.holder


def test_enrolling_twice_finds_the_same_person(room: QuestionRoom) -> None:
    ann = room.enroll("ann", TIER)
    assert room.enroll("ann", TIER) == ann
    assert room.enroll("bob", TIER).id != ann.id
    assert room.enroll("ann", "crowd").id != ann.id


def test_best_first_audits_before_all(room: QuestionRoom, database: Database) -> None:
    add_items(database, ["low", "high", "gold", "audit", "elsewhere"])
    add_question(database, "low", priority=0.1)
    add_question(database, "high", priority=0.4)
    add_question(database, "gold", purpose="gold", priority=GOLD_PRIORITY)
    add_question(database, "audit", purpose="audit", priority=AUDIT_PRIORITY)
    add_question(database, "elsewhere", tier="crowd", priority=99.0)
    ann = room.enroll("ann", TIER).id
    leases = room.lease(ann, TIER, 10, MINUTE)
    assert [lease.item for lease in leases] == ["audit", "gold", "high", "low"]
    assert [lease.blind for lease in leases] == [True, True, False, False]
    assert [lease.label for lease in leases] == [None, None, 1, 1], "blind ones tell nothing of the votes"
    assert [lease.sure for lease in leases] == pytest.approx([0, 0, 0.7, 0.7])
    assert leases[0].payload == b'{"text": "hello"}'


def test_what_is_held_comes_first_and_is_held_longer(
    room: QuestionRoom, database: Database, clock: MovableClock
) -> None:
    _asked(database, "a", "b", "c")
    ann = room.enroll("ann", TIER).id
    first = room.lease(ann, TIER, 2, MINUTE)
    clock.advance(30)
    again = room.lease(ann, TIER, 3, MINUTE)
    assert [lease.item for lease in again] == ["a", "b", "c"]
    assert again[0].until - first[0].until >= 30_000


def test_each_lease_of_a_question_has_a_key_of_its_own(
    room: QuestionRoom, database: Database, clock: MovableClock
) -> None:
    (question,) = _asked(database, "a")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    leases = [room.lease(ann, TIER, 1, MINUTE)[0] for _ in range(2)]
    clock.advance(MINUTE + 1)
    leases += room.lease(bob, TIER, 1, MINUTE)
    room.answer(question, bob, 1, 1.0)
    assert (undone := room.undo(bob, MINUTE)) is not None
    assert [lease.key for lease in (*leases, undone)] == [(question, attempt) for attempt in (1, 2, 3, 4)]
    (row,) = all_rows(database, questions)
    assert row.attempt == 4, "the last one's stands in the database"


def test_two_people_never_hold_one_question(
    room: QuestionRoom, database: Database, clock: MovableClock
) -> None:
    (question,) = _asked(database, "a")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    assert len(room.lease(ann, TIER, 5, MINUTE)) == 1
    assert room.lease(bob, TIER, 5, MINUTE) == []
    with pytest.raises(LeaseLost, match="somebody else"):
        room.answer(question, bob, 1, 1.0)
    clock.advance(61)
    assert [lease.question for lease in room.lease(bob, TIER, 5, MINUTE)] == [question]
    with pytest.raises(LeaseLost, match="somebody else"):
        room.answer(question, ann, 1, 1.0)


def test_an_item_wanted_three_times_goes_to_three_people(room: QuestionRoom, database: Database) -> None:
    add_items(database, ["a", "b"])
    for item in ("a", "a", "a", "b"):
        add_question(database, item, "crowd")
    people = [room.enroll(name, "crowd").id for name in ("ann", "bob", "eve")]
    for person in people:
        leases = room.lease(person, "crowd", 4, MINUTE)
        assert sorted({lease.item for lease in leases}) == sorted(lease.item for lease in leases)
        room.answer(next(lease.question for lease in leases if lease.item == "a"), person, 0, 1.0)
        assert "a" not in {lease.item for lease in room.lease(person, "crowd", 4, MINUTE)}
    assert count(database, answers, answers.c.item == "a") == 3


def test_nobody_gets_an_item_again_in_another_tier(room: QuestionRoom, database: Database) -> None:
    _asked(database, "a", tier="crowd")
    add_question(database, "a", TIER)
    crowd, expert = room.enroll("ann", "crowd").id, room.enroll("ann", TIER).id
    (lease,) = room.lease(crowd, "crowd", 1, MINUTE)
    assert room.lease(expert, TIER, 1, MINUTE) == []
    room.answer(lease.question, crowd, 1, 1.0)
    assert room.lease(expert, TIER, 1, MINUTE) == []
    assert len(room.lease(room.enroll("bob", TIER).id, TIER, 1, MINUTE)) == 1


def test_an_answer_is_recorded_paid_and_rechecked_at_once(room: QuestionRoom, database: Database) -> None:
    (question,) = _asked(database, "a", price=250)
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 1, MINUTE)
    answer = room.answer(question, ann, 1, 2.5)
    (row,) = all_rows(database, answers)
    assert (row.id, row.item, row.annotator, row.question, row.purpose) == (
        answer,
        "a",
        ann,
        question,
        "settle",
    )
    assert np.frombuffer(row.labels, np.int8).tolist() == [1]
    assert (row.seconds, row.cost, row.retracted_at) == (2.5, 250, None)
    assert _state(database, question) == ("answered", None)
    (money,) = all_rows(database, budgets)
    assert (money.reserved, money.spent) == (0, 250)
    assert [(row.item, row.reason) for row in all_rows(database, recheck)] == [("a", "answer")]


def test_repeating_an_answer_changes_nothing(room: QuestionRoom, database: Database) -> None:
    (question,) = _asked(database, "a", price=250)
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 1, MINUTE)
    first = room.answer(question, ann, 1, 2.5)
    assert room.answer(question, ann, 1, 9.0) == first
    assert count(database, answers) == 1
    assert count(database, recheck) == 1
    assert all_rows(database, budgets)[0].spent == 250
    with pytest.raises(LeaseLost, match="undo"):
        room.answer(question, ann, 0, 1.0)


def test_a_late_answer_counts_while_the_slot_is_free(
    room: QuestionRoom, database: Database, clock: MovableClock
) -> None:
    first, second = _asked(database, "a", "b")
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 2, MINUTE)
    clock.advance(3_600)
    assert room.answer(first, ann, 1, 1.0)
    with database.write() as connection:
        connection.execute(questions.update().where(questions.c.id == second).values(state="cancelled"))
    with pytest.raises(LeaseLost, match="cancelled"):
        room.answer(second, ann, 1, 1.0)


def test_questions_of_other_tiers_and_people_are_not_ours(room: QuestionRoom, database: Database) -> None:
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", "crowd").id
    (question,) = _asked(database, "a")
    (kept,) = _asked(database, "b", reserved_for=room.enroll("eve", TIER).id)
    with pytest.raises(LeaseLost, match="somebody else"):
        room.answer(question, bob, 1, 1.0)
    with pytest.raises(LeaseLost, match="somebody else"):
        room.answer(kept, ann, 1, 1.0)
    with pytest.raises(LeaseLost, match="no question"):
        room.answer(999_999, ann, 1, 1.0)
    with pytest.raises(UnknownReviewer, match="'expert'"):
        room.lease(bob, TIER, 1, MINUTE)
    with pytest.raises(UnknownReviewer):
        room.answer(question, 999_999, 1, 1.0)
    assert [lease.item for lease in room.lease(ann, TIER, 5, MINUTE)] == ["a"]


def test_a_skipped_item_goes_to_somebody_else(room: QuestionRoom, database: Database) -> None:
    (question,) = _asked(database, "a")
    add_question(database, "a")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    room.lease(ann, TIER, 1, MINUTE)
    room.skip(question, ann)
    room.skip(question, ann)
    assert _state(database, question) == ("open", None)
    assert room.lease(ann, TIER, 5, MINUTE) == []
    assert [lease.question for lease in room.lease(bob, TIER, 5, MINUTE)] == [question]
    room.skip(question, ann)
    assert _state(database, question) == ("leased", bob)


def test_undo_takes_back_answer_and_money(room: QuestionRoom, database: Database) -> None:
    first, second = _asked(database, "a", "b", price=250)
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 2, MINUTE)
    room.answer(first, ann, 1, 1.0)
    wrong = room.answer(second, ann, 1, 1.0)
    lease = room.undo(ann, MINUTE)
    assert lease is not None
    assert (lease.question, lease.item) == (second, "b")
    assert _state(database, second) == ("leased", ann)
    assert [row.micros for row in all_rows(database, spend, spend.c.state == "spent")] == [250]
    right = room.answer(second, ann, 0, 1.0)
    assert right != wrong
    standing = all_rows(database, answers, answers.c.retracted_at.is_(None), answers.c.item == "b")
    assert [np.frombuffer(row.labels, np.int8).tolist() for row in standing] == [[0]]
    assert all_rows(database, budgets)[0].spent == 500
    reasons = [row.reason for row in all_rows(database, recheck, recheck.c.item == "b")]
    assert reasons == ["answer", "undo", "answer"]


def test_undo_of_one_question_can_be_repeated(room: QuestionRoom, database: Database) -> None:
    first, second = _asked(database, "a", "b")
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 2, MINUTE)
    room.answer(first, ann, 1, 1.0)
    room.answer(second, ann, 1, 1.0)
    once, twice = room.undo(ann, MINUTE, second), room.undo(ann, MINUTE, second)
    assert once is not None and twice is not None
    assert once.question == twice.question == second
    assert count(database, answers, answers.c.retracted_at.is_(None)) == 1
    assert room.undo(ann, MINUTE, 999_999) is None


def test_undo_with_nothing_to_undo(room: QuestionRoom, database: Database) -> None:
    ann = room.enroll("ann", TIER).id
    assert room.undo(ann, MINUTE) is None


@pytest.mark.parametrize(("state", "undone"), [("open", True), ("closed", False)])
def test_an_answer_that_a_closed_window_rests_on_stands(
    room: QuestionRoom, database: Database, state: str, undone: bool
) -> None:
    (question,) = _asked(database, "a", purpose="audit", window=_window(database, state))
    ann = room.enroll("ann", TIER).id
    room.lease(ann, TIER, 1, MINUTE)
    room.answer(question, ann, 1, 1.0)
    assert (room.undo(ann, MINUTE) is not None) is undone
    assert count(database, answers, answers.c.retracted_at.is_(None)) == (0 if undone else 1)


def test_eight_people_answer_everything_once(room: QuestionRoom, database: Database) -> None:
    wanted = [f"item-{n}" for n in range(100)]
    add_items(database, wanted)
    for item in wanted:
        add_question(database, item, "crowd")
        add_question(database, item, "crowd")
    people = [room.enroll(f"person-{n}", "crowd").id for n in range(8)]
    given: list[tuple[int, int]] = []

    def work(person: int) -> None:
        while leases := room.lease(person, "crowd", 3, MINUTE):
            for lease in leases:
                room.answer(lease.question, person, 0, 0.1)
                given.append((person, lease.question))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, people))
    for person in people:  # an empty look may have passed over rows that were locked for a moment
        work(person)
    assert len(given) == len({question for _, question in given}) == 200
    assert count(database, questions, questions.c.state == "answered") == 200
    rows = all_rows(database, answers)
    assert len({(row.item, row.annotator) for row in rows}) == len(rows) == 200


def test_one_person_on_many_screens_gets_an_item_once(room: QuestionRoom, database: Database) -> None:
    wanted = [f"item-{n}" for n in range(10)]
    add_items(database, wanted)
    for item in wanted:
        for _ in range(3):
            add_question(database, item, "crowd")
    ann = room.enroll("ann", "crowd").id
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        room.lease(ann, "crowd", 10, MINUTE)

    with ThreadPoolExecutor(4) as pool:
        for screen in [pool.submit(work) for _ in range(4)]:
            screen.result()
    held = all_rows(database, questions, questions.c.holder == ann)
    assert len(held) == len({row.item for row in held}) == 10
