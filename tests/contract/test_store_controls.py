"""Control questions on both databases: mixed in, told from none, paid, and nothing to the item."""

import random

import numpy as np
import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows, count

from daemon.adapters.store import open_items
from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.controls import Controls
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.leasing import Hints
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, budgets, controls, labels, questions, recheck, spend, truths
from daemon.core.control_settings import ControlSettings
from daemon.core.errors import LeaseLost, ReviewerPaused
from daemon.core.rows import Lease

TIER = "crowd"
PRICE = 40_000
MINUTE = 60.0
HALF = ControlSettings(share=0.5)
FIRST = ControlSettings(onboarding=3, pause_below=0.6, pause_after=2)


def room_of(database: Database, rules: ControlSettings, cap: int | None = None) -> QuestionRoom:
    mixed = Controls({TIER: rules}, {TIER: PRICE}, frozenset({"expert"}), random.Random(5))
    return QuestionRoom(database, Allowances({TIER: cap}), controls=mixed)


@pytest.fixture
def known(database: Database) -> list[str]:
    """Items that an expert answered: those with an even number are 0, others 1."""
    ids = [f"known{number}" for number in range(20)]
    add_items(database, ids)
    ann = add_annotator(database, "ann")
    for number, item in enumerate(ids):
        add_answer(database, item, ann, number % 2, purpose="gold")
    return ids


@pytest.fixture
def waiting(database: Database) -> list[str]:
    """Items that wait for the crowd."""
    ids = [f"open{number}" for number in range(60)]
    add_items(database, ids)
    for item in ids:
        add_question(database, item, TIER, price=PRICE)
    return ids


def is_control(lease: Lease) -> bool:
    return lease.item.startswith("known")


def truth_of(lease: Lease) -> int:
    return int(lease.item.removeprefix("known")) % 2


def test_a_share_of_the_questions_has_a_known_answer(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    room = room_of(database, HALF)
    bob = room.enroll("bob", TIER).id
    leases = room.lease(bob, TIER, 20, MINUTE)
    assert len(leases) == len({lease.item for lease in leases}) == 20
    assert 4 <= sum(map(is_control, leases)) <= 16
    assert {is_control(lease) for lease in leases[:6]} == {True, False}, "they are mixed"
    assert not any(lease.blind for lease in leases), "nothing tells them apart"
    again = room.lease(bob, TIER, 20, MINUTE)
    assert {lease.question for lease in again} == {lease.question for lease in leases}


def test_a_control_suggests_what_was_said_before_anybody_answered(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    first = {"revision": 1, "labels": bytes([1]), "probabilities": np.array([0.2, 0.8], "<f4").tobytes()}
    rows = [{**first, "item": item, "status": "provisional", "cost": 0, "at": 1} for item in known]
    with database.write() as connection:
        connection.execute(labels.insert(), rows)
    hints = Hints(suggestions=frozenset({TIER}))
    mixed = Controls({TIER: HALF}, {TIER: PRICE}, frozenset({"expert"}), random.Random(5))
    room = QuestionRoom(database, controls=mixed, hints=hints)
    bob = room.enroll("bob", TIER).id
    told = {
        (lease.label, round(lease.sure, 3)) for lease in filter(is_control, room.lease(bob, TIER, 20, MINUTE))
    }
    assert told == {(1, 0.8)}


def test_the_first_questions_of_somebody_new_are_known(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    room = room_of(database, FIRST)
    bob = room.enroll("bob", TIER).id
    first = room.lease(bob, TIER, 2, MINUTE)
    assert all(map(is_control, first))
    for lease in first:
        room.answer(lease.question, bob, truth_of(lease), 1.0)
    assert sum(map(is_control, room.lease(bob, TIER, 5, MINUTE))) == 1


def test_an_answer_to_one_is_paid_and_says_nothing_of_the_item(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    room = room_of(database, FIRST)
    bob = room.enroll("bob", TIER).id
    before = count(database, answers), count(database, recheck)
    (lease,) = room.lease(bob, TIER, 1, MINUTE)
    told = truth_of(lease)
    assert room.answer(lease.question, bob, told, 2.5) == lease.question
    assert room.answer(lease.question, bob, told, 2.5) == lease.question, "repeating changes nothing"
    with pytest.raises(LeaseLost, match="undo comes first"):
        room.answer(lease.question, bob, 1 - told, 2.5)
    assert (count(database, answers), count(database, recheck)) == before
    (row,) = all_rows(database, controls)
    assert (row.annotator, row.item, row.seconds) == (bob, lease.item, 2.5)
    assert bytes(row.labels) == bytes(row.truth) == bytes([told])
    (paid,) = all_rows(database, spend, spend.c.purpose == "control")
    assert (paid.micros, paid.state, paid.annotator) == (PRICE, "spent", bob)
    (day,) = all_rows(database, budgets, budgets.c.tier == TIER)
    assert (day.spent, day.reserved) == (PRICE, 0)


def test_the_item_of_one_costs_and_waits_for_nothing(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    room = room_of(database, FIRST)
    bob = room.enroll("bob", TIER).id
    first, second = room.lease(bob, TIER, 2, MINUTE)
    room.answer(first.question, bob, 1, 1.0)
    with database.write() as connection:
        rows = open_items.lock(connection, [first.item, second.item])
        items = open_items.complete(connection, rows)
    assert [(item.cost, list(item.wanted), len(item.answers)) for item in items] == [(0, [], 1)] * 2


def test_nobody_is_asked_about_an_item_twice(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    room = room_of(database, ControlSettings(onboarding=100))
    bob, twin = room.enroll("bob", TIER).id, room.enroll("bob", "expert").id
    add_answer(database, known[0], twin, 0, purpose="gold")
    room.skip(room.lease(bob, TIER, 1, MINUTE)[0].question, bob)
    skipped = {row.item for row in all_rows(database, controls)}
    asked = [lease.item for lease in room.lease(bob, TIER, 30, MINUTE)]
    assert len(set(asked)) == len(asked) == 30
    controlled = {item for item in asked if item in known}
    assert controlled == set(known) - skipped - {known[0]}
    add_question(database, sorted(controlled)[0], TIER, priority=9.0)
    for lease in room.lease(bob, TIER, 30, MINUTE):
        room.answer(lease.question, bob, 1, 1.0)
    assert not any(map(is_control, room.lease(bob, TIER, 30, MINUTE)))


def test_without_other_questions_there_are_none(database: Database, known: list[str]) -> None:
    room = room_of(database, FIRST)
    assert room.lease(room.enroll("bob", TIER).id, TIER, 5, MINUTE) == []
    assert count(database, controls) == 0


def test_the_budget_holds(database: Database, known: list[str], waiting: list[str]) -> None:
    room = room_of(database, HALF, cap=3 * PRICE)
    bob = room.enroll("bob", TIER).id
    assert len(room.lease(bob, TIER, 10, MINUTE)) == 3
    (day,) = all_rows(database, budgets, budgets.c.tier == TIER)
    assert day.reserved == 3 * PRICE


def test_one_whose_lease_ends_is_asked_no_more_and_gives_its_money_back(
    database: Database, known: list[str], waiting: list[str], clock: MovableClock
) -> None:
    room = room_of(database, FIRST)
    bob, cy = room.enroll("bob", TIER).id, room.enroll("cy", TIER).id
    (lease,) = room.lease(bob, TIER, 1, MINUTE)
    clock.advance(61)
    room.lease(cy, TIER, 1, MINUTE)
    (row,) = all_rows(database, questions, questions.c.id == lease.question)
    assert row.state == "cancelled"
    (day,) = all_rows(database, budgets, budgets.c.tier == TIER)
    assert day.reserved == PRICE, "of cy's question"
    with pytest.raises(LeaseLost):
        room.answer(lease.question, bob, 1, 1.0)


def test_one_can_be_taken_back_like_any_other(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    room = room_of(database, FIRST)
    bob = room.enroll("bob", TIER).id
    (lease,) = room.lease(bob, TIER, 1, MINUTE)
    room.answer(lease.question, bob, 1 - truth_of(lease), 1.0)
    again = room.undo(bob, MINUTE)
    assert again is not None and again.question == lease.question
    repeated = room.undo(bob, MINUTE, lease.question)
    assert repeated is not None and repeated.question == lease.question
    room.answer(lease.question, bob, truth_of(lease), 1.0)
    (row,) = all_rows(database, controls)
    assert row.labels == row.truth


def test_who_is_wrong_too_often_is_paused_and_what_they_hold_goes_back(
    database: Database, known: list[str], waiting: list[str], clock: MovableClock
) -> None:
    room = room_of(database, FIRST)
    bob, cy = room.enroll("bob", TIER).id, room.enroll("cy", TIER).id
    leases = sorted(room.lease(bob, TIER, 6, MINUTE), key=is_control)
    for lease in leases[-2:]:
        clock.advance(1)
        room.answer(lease.question, bob, 1 - truth_of(lease), 1.0)
    with pytest.raises(ReviewerPaused, match="0 of the last 2 control questions right"):
        room.lease(bob, TIER, 1, MINUTE)
    with pytest.raises(ReviewerPaused):
        room.answer(leases[0].question, bob, 1, 1.0)
    assert count(database, questions, questions.c.holder == bob) == 0
    assert len(room.lease(cy, TIER, 60, MINUTE)) == 60


def test_who_is_mostly_right_goes_on(database: Database, known: list[str], waiting: list[str]) -> None:
    room = room_of(database, FIRST)
    bob = room.enroll("bob", TIER).id
    for lease in filter(is_control, room.lease(bob, TIER, 6, MINUTE)):
        room.answer(lease.question, bob, truth_of(lease), 1.0)
    assert room.lease(bob, TIER, 6, MINUTE)


def test_imported_labels_ask_about_their_items_experts_too(
    database: Database, known: list[str], waiting: list[str]
) -> None:
    mixed = Controls({"expert": ControlSettings(onboarding=9)}, {}, frozenset({"expert"}), random.Random(1))
    room = QuestionRoom(database, controls=mixed)
    for item in waiting[:3]:
        add_question(database, item, "expert")
    with database.write() as connection:
        for item in ("open7", "not-yet-here"):
            connection.execute(truths.insert().values(item=item, labels=bytes([1]), source="file", at=1))
    dan = room.enroll("dan", "expert").id
    room.lease(dan, "expert", 3, MINUTE)
    assert [row.item for row in all_rows(database, controls)] == ["open7"]
