"""Money of settling questions: taken at the lease, within the day's allowance, given back with the lease."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from decisions_for_tests import arrivals, decision, draw, silent, span, start
from rows_for_tests import add_items, add_question, all_rows
from sqlalchemy import delete, insert

from daemon.adapters.store import budget
from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, budgets, counters, questions, recheck, skips
from daemon.adapters.store.stream import StreamRoom
from daemon.core.pace import LEARNING_SHARE
from daemon.core.policy import AUDIT_PRIORITY, GOLD_PRIORITY
from daemon.core.rows import Compose, Decision, OpenItem, Reprice

TIER = "expert"
PRICE = 10
MINUTE = 60.0
DAY = 86_400


def room_of(database: Database, cap: int | None, *learning: str, paced: bool = False) -> QuestionRoom:
    return QuestionRoom(database, Allowances({TIER: cap}, frozenset(learning), paced))


def asked(database: Database, *ids: str, purpose: str = "settle", **changes: object) -> list[int]:
    add_items(database, ids)
    return [add_question(database, id_, TIER, purpose, PRICE, **changes) for id_ in ids]


def money(database: Database) -> tuple[int, int]:
    """Reserved and spent, of all days."""
    rows = all_rows(database, budgets)
    return sum(row.reserved for row in rows), sum(row.spent for row in rows)


def leased(room: QuestionRoom, person: int, count: int = 9) -> list[int]:
    return [lease.question for lease in room.lease(person, TIER, count, MINUTE)]


def test_what_waits_takes_no_money_and_a_lease_does(database: Database) -> None:
    room = room_of(database, 100)
    asked(database, "a", "b", "c")
    ann = room.enroll("ann", TIER).id
    assert money(database) == (0, 0)
    first, second = leased(room, ann, 2)
    assert money(database) == (2 * PRICE, 0)
    assert leased(room, ann, 2) == [first, second], "held already, and paid once"
    assert money(database) == (2 * PRICE, 0)
    room.answer(first, ann, 1, 1.0)
    assert money(database) == (PRICE, PRICE)
    room.skip(second, ann)
    assert money(database) == (0, PRICE)


def test_a_lease_that_runs_out_gives_its_money_to_the_next(database: Database, clock: MovableClock) -> None:
    room = room_of(database, PRICE)
    asked(database, "a", "b")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    (held,) = leased(room, ann)
    assert leased(room, bob) == []
    assert room.unpaid(TIER) == 1
    clock.advance(MINUTE + 1)
    assert leased(room, bob) == [held]
    assert money(database) == (PRICE, 0)


def test_who_comes_back_late_holds_the_question_and_its_money(
    database: Database, clock: MovableClock
) -> None:
    room = room_of(database, PRICE)
    asked(database, "a", "b")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    (held,) = leased(room, ann)
    clock.advance(MINUTE + 1)
    assert leased(room, ann) == [held]
    assert money(database) == (PRICE, 0)
    assert leased(room, bob) == [], "the cap is reached"


def test_a_late_answer_is_paid_even_beyond_the_cap(database: Database, clock: MovableClock) -> None:
    room = room_of(database, PRICE)
    late, other = asked(database, "a", "b")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    assert leased(room, ann) == [late]
    clock.advance(MINUTE + 1)
    room.skip(late, bob)
    assert leased(room, bob) == [other]
    room.answer(other, bob, 1, 1.0)
    room.answer(late, ann, 1, 1.0)
    assert money(database) == (0, 2 * PRICE)
    assert [row.cost for row in all_rows(database, answers)] == [PRICE, PRICE]


def test_audits_go_on_when_the_money_for_the_rest_is_used_up(database: Database) -> None:
    room = room_of(database, 25)
    settling = asked(database, "a", "b", "c", priority=5.0)
    audits = asked(database, "d", purpose="audit", priority=AUDIT_PRIORITY)
    gold = asked(database, "e", purpose="gold", priority=GOLD_PRIORITY)
    ann = room.enroll("ann", TIER).id
    assert leased(room, ann) == [*audits, *gold], "these two leave 5, which is not the price of another"
    assert room.unpaid(TIER) == len(settling)
    assert room.unpaid("crowd") == 0


def test_an_undone_answer_is_reserved_again_and_released_with_its_lease(
    database: Database, clock: MovableClock
) -> None:
    room = room_of(database, 100)
    (question,) = asked(database, "a")
    ann, bob = room.enroll("ann", TIER).id, room.enroll("bob", TIER).id
    leased(room, ann)
    room.answer(question, ann, 1, 1.0)
    room.undo(ann, MINUTE)
    assert money(database) == (PRICE, 0)
    clock.advance(MINUTE + 1)
    room.skip(question, bob)
    assert leased(room, bob) == []
    assert money(database) == (0, 0)


def test_a_share_is_kept_for_learning(database: Database) -> None:
    room = room_of(database, 100, TIER)
    asked(database, *(f"s{n}" for n in range(12)), priority=5.0)
    learn = asked(database, *(f"l{n}" for n in range(3)), purpose="learn", priority=1.0)
    ann = room.enroll("ann", TIER).id
    held = leased(room, ann, 20)
    assert len(held) == 100 // PRICE
    assert sum(question in learn for question in held) == round(100 * LEARNING_SHARE) // PRICE


def day_counts(database: Database, clock: MovableClock, *counts: int) -> None:
    """Arrivals of one day after another; the last is today, at noon."""
    with database.read() as connection:
        now = database.now(connection)
    clock.advance(((now // budget.DAY + 1) * budget.DAY + budget.DAY // 2 - now) / 1000)
    with database.write() as connection:
        noon = database.now(connection)
        names = [f"arrived:{budget.day(noon - age * budget.DAY)}" for age in range(len(counts))]
        rows = [{"name": name, "value": n} for name, n in zip(names, reversed(counts), strict=True)]
        connection.execute(insert(counters), rows)


@pytest.mark.parametrize(
    ("counts", "given"),
    [((100,), 10), ((100, 50), 10), ((1, 100, 50), 5), ((1, 0, 50), 5), ((1, 100, 0), 9)],
)
def test_money_is_let_go_in_step_with_the_items_once_a_whole_day_is_known(
    database: Database, clock: MovableClock, counts: Sequence[int], given: int
) -> None:
    day_counts(database, clock, *counts)
    asked(database, *(f"i{n:02}" for n in range(12)))
    unpaced = room_of(database, 100)
    paced = room_of(database, 100, paced=True)
    ann = paced.enroll("ann", TIER).id
    assert len(leased(paced, ann, 20)) == given
    assert len(leased(unpaced, ann, 20)) == 10


def test_batches_count_the_items_of_the_day(database: Database, clock: MovableClock) -> None:
    room = StreamRoom(database, {})
    room.locate([start()])
    room.save_batch([span(0, 2)], arrivals(["a", "b"]), decision(2), silent, {})
    room.save_batch([span(2, 3)], arrivals(["c"]), decision(1), silent, {})
    clock.advance(DAY)
    room.save_batch([span(3, 4)], arrivals(["d"]), decision(1), silent, {})
    assert [row.value for row in all_rows(database, counters)] == [3, 1]


def test_no_cap_is_passed_by_reviewers_who_lease_at_once(database: Database) -> None:
    asked(database, *(f"i{n:02}" for n in range(40)))
    people = [room_of(database, 105).enroll(f"p{n}", TIER).id for n in range(4)]
    ready = threading.Barrier(4)

    def work(person: int) -> None:
        room = room_of(database, 105)  # as of another process: what is known stands in the database
        ready.wait(timeout=30)
        for count in range(1, 8):
            room.lease(person, TIER, count, MINUTE)

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert money(database) == (100, 0)
    assert len(all_rows(database, questions, questions.c.state == "leased")) == 10


def test_leases_and_decisions_at_once_do_not_lock_each_other_out(database: Database) -> None:
    """Withdrawals and new questions on one side, leases and skips of the same ones on the other."""
    ids = [f"i{n:02}" for n in range(12)]
    asked(database, *ids)
    errors: list[Exception] = []

    def reviewer(name: str) -> None:
        try:
            for _ in range(6):
                _lease_and_skip(database, name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            errors.append(error)

    threads = [threading.Thread(target=reviewer, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            _withdraw_and_ask(database, ids)
    finally:
        for thread in threads:
            thread.join(timeout=60)
    assert errors == []


def _lease_and_skip(database: Database, name: str) -> None:
    room = room_of(database, 10_000)
    person = room.enroll(name, TIER).id
    for question in leased(room, person, 4):
        room.skip(question, person)
    with database.write() as connection:
        connection.execute(delete(skips))


def _withdraw_and_ask(database: Database, ids: Sequence[str]) -> None:
    stream = StreamRoom(database, {TIER: 10_000})

    def decide(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        n = len(found)
        return decision(n, withdraw=True, asks=[draw(row) for row in range(n)]), silent

    look_at(database, *ids)
    while stream.work_rechecks(5, decide):
        pass


def look_at(database: Database, *ids: str) -> None:
    with database.write() as connection:
        connection.execute(insert(recheck), [{"item": id_, "reason": "test"} for id_ in ids])


def test_reviewers_lease_the_highest_first_whatever_moved(database: Database) -> None:
    room, stream = room_of(database, None), StreamRoom(database, {})
    low, high = asked(database, "a", priority=1.0) + asked(database, "b", priority=5.0)
    held = add_question(database, "b", TIER, "learn", PRICE, priority=0.5)
    made = decision(1)

    def decide(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        assert [(one.id, [wanted.priority for wanted in one.wanted]) for one in found] == [("a", [1.0])]
        return replace(made, reprices=[Reprice(0, 7.0)]), silent

    look_at(database, "a")
    assert stream.work_rechecks(9, decide) == 1
    ann = room.enroll("ann", TIER).id
    assert leased(room, ann, 1) == [low]
    assert leased(room, ann, 2) == [low, high]
    (other,) = all_rows(database, questions, questions.c.id == held)
    assert other.priority == 0.5


def test_many_questions_move_at_once(database: Database) -> None:
    room, stream = room_of(database, None), StreamRoom(database, {})
    first, second, third = (asked(database, id_, priority=5.0)[0] for id_ in "abc")
    made = replace(decision(2), reprices=[Reprice(0, 1.0), Reprice(1, 7.0)])
    look_at(database, "a", "c")
    assert stream.work_rechecks(9, lambda _found: (made, silent)) == 2
    assert leased(room, room.enroll("ann", TIER).id) == [third, second, first]


def test_a_tier_that_cannot_pay_one_more_answer_is_spent(database: Database, clock: MovableClock) -> None:
    stream = StreamRoom(database, {TIER: 25, "crowd": None, "none": 0})
    prices = {TIER: 10, "crowd": 10, "none": 1}
    assert stream.spent_tiers(prices) == {"none"}
    room = room_of(database, 25)
    asked(database, "a", "b")
    leased(room, room.enroll("ann", TIER).id)
    assert stream.spent_tiers(prices) == {TIER, "none"}
    assert stream.spent_tiers({**prices, TIER: 5}) == {"none"}
    clock.advance(DAY)
    assert stream.spent_tiers(prices) == {"none"}
