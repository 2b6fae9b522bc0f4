"""Money: reserved, paid, released; never more than the cap, whoever asks at the same time."""

import threading

from rows_for_tests import add_annotator, add_items, add_question, all_rows

from daemon.adapters.store import budget
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import budgets, spend

NOON = 1_790_000_000_000


def _row(database: Database) -> tuple[int | None, int, int]:
    (row,) = all_rows(database, budgets)
    return row.cap, row.reserved, row.spent


def _booking(question: int) -> budget.Booking:
    return budget.Booking(question, "a", "expert", "audit", 25)


def test_days_are_utc() -> None:
    assert budget.day(1_767_225_599_999) == "2025-12-31"
    assert budget.day(1_767_225_600_000) == "2026-01-01"
    assert budget.next_day(1_767_225_599_999) == 1_767_225_600_000
    assert budget.next_day(1_767_225_600_000) == 1_767_225_600_000 + budget.DAY


def test_a_cap_grants_what_fits(database: Database) -> None:
    with database.write() as connection:
        assert budget.reserve(connection, "expert", 30, 2, 100, "2026-01-01") == 2
        assert budget.reserve(connection, "expert", 30, 5, 100, "2026-01-01") == 1
        assert budget.reserve(connection, "expert", 30, 5, 100, "2026-01-01") == 0
        assert budget.reserve(connection, "expert", 0, 5, 100, "2026-01-01") == 5
        assert budget.reserve(connection, "expert", 30, 5, 100, "2026-01-02") == 3
        assert budget.reserve(connection, "crowd", 30, 5, None, "2026-01-01") == 5


def test_a_lowered_cap_holds_at_once(database: Database) -> None:
    with database.write() as connection:
        assert budget.reserve(connection, "expert", 30, 2, 100, "2026-01-01") == 2
        assert budget.reserve(connection, "expert", 30, 2, 50, "2026-01-01") == 0
    assert _row(database) == (50, 60, 0)


def test_paying_moves_money_from_reserved_to_spent_once(database: Database) -> None:
    add_items(database, ["a"])
    person = add_annotator(database, "ann")
    question = add_question(database, "a", purpose="audit", price=25)
    assert _row(database) == (None, 25, 0)
    with database.write() as connection:
        assert budget.pay(connection, _booking(question), person, 3.0, NOON) == 25
        budget.release(connection, [question])
    assert _row(database) == (None, 0, 25)
    (paid,) = all_rows(database, spend)
    assert (paid.state, paid.annotator, paid.micros, paid.seconds, paid.item) == (
        "spent",
        person,
        25,
        3.0,
        "a",
    )


def test_an_answer_taken_back_frees_its_money_for_the_next(database: Database) -> None:
    add_items(database, ["a"])
    person = add_annotator(database, "ann")
    question = add_question(database, "a", purpose="audit", price=25)
    with database.write() as connection:
        budget.pay(connection, _booking(question), person, 3.0, NOON)
        budget.unpay(connection, question)
        budget.unpay(connection, question)
    assert _row(database) == (None, 25, 0)
    with database.write() as connection:
        assert budget.pay(connection, _booking(question), person, 1.0, NOON) == 25


def test_an_answer_whose_reservation_was_released_is_paid_all_the_same(database: Database) -> None:
    add_items(database, ["a"])
    person = add_annotator(database, "ann")
    question = add_question(database, "a", purpose="audit", price=25)
    with database.write() as connection:
        budget.release(connection, [question])
        assert budget.pay(connection, _booking(question), person, 3.0, NOON) == 25
    rows = {row.period: row for row in all_rows(database, budgets)}
    assert sum(row.reserved for row in rows.values()) == 0
    assert (rows[budget.day(NOON)].spent, rows[budget.day(NOON)].audits) == (25, 25)


def test_what_serves_audits_and_learning_is_told_apart(database: Database) -> None:
    add_items(database, ["a", "b", "c"])
    person = add_annotator(database, "ann")
    lease = {"state": "leased", "holder": person, "leased_until": 9}
    audit = add_question(database, "a", purpose="audit", price=25)
    learn = add_question(database, "b", purpose="learn", price=10, **lease)
    settle = add_question(database, "c", price=3, **lease)

    def told() -> tuple[int, int, int]:
        (row,) = all_rows(database, budgets)
        return row.reserved + row.spent, row.audits, row.learning

    assert told() == (38, 25, 10)
    with database.write() as connection:
        today = database.now(connection)
        budget.pay(connection, budget.Booking(learn, "b", "expert", "learn", 10), person, 1.0, today)
        budget.release(connection, [settle])
    assert told() == (35, 25, 10)
    with database.write() as connection:
        budget.release(connection, [audit, learn])
    assert told() == (10, 0, 10)


def test_release_goes_back_to_the_day_of_the_reservation(database: Database, clock: MovableClock) -> None:
    add_items(database, ["a", "b"])
    first = add_question(database, "a", purpose="gold", price=25)
    clock.advance(86_400)
    second = add_question(database, "b", purpose="gold", price=10)
    with database.write() as connection:
        budget.release(connection, [first, first])
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(0, 0), (10, 0)]
    with database.write() as connection:
        budget.release(connection, [second])
    assert [row.state for row in all_rows(database, spend)] == ["released", "released"]


def test_no_cap_is_passed_by_threads_that_ask_at_once(database: Database) -> None:
    granted: list[int] = []

    def ask() -> None:
        for _ in range(10):
            with database.write() as connection:
                granted.append(budget.reserve(connection, "expert", 7, 3, 500, "2026-01-01"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(granted) == 500 // 7
    assert _row(database) == (500, 7 * (500 // 7), 0)


def test_transactions_that_hold_rows_in_any_order_do_not_lock_each_other_out(database: Database) -> None:
    pairs = [(tier, "2026-01-01") for tier in ("crowd", "expert", "llm")]
    with database.write() as connection:
        for tier, period in pairs:
            budget.reserve(connection, tier, 1, 1, None, period)
    errors: list[Exception] = []

    def work(order: list[tuple[str, str]]) -> None:
        try:
            for _ in range(15):
                with database.write() as connection:
                    budget.hold(connection, order)
                    for tier, period in order:
                        budget.reserve(connection, tier, 1, 1, None, period)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            errors.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (pairs, pairs[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    assert [row.reserved for row in all_rows(database, budgets)] == [31, 31, 31]
