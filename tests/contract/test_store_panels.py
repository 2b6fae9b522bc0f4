"""Two blind experts for every audit, a third where these two differ: windows and the ledger alike."""

import pytest
from decisions_for_tests import silent
from rows_for_tests import all_rows, count
from window_harness import DOUBLE, House, closing

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import budgets, questions, recheck
from daemon.adapters.store.windows import WindowRoom
from daemon.core.panel import UNANSWERED, UNDECIDED
from daemon.core.rows import AuditMade
from daemon.core.states import AuditProtocol
from daemon.core.window_rows import OpenWindow
from daemon.core.wire import OutMessage

IDS = ["a", "b", "c", "d"]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def _audits(house: House, window: int) -> list[int] | None:
    """What the judge is told of the audits; None while the window waits for them."""
    seen: list[OpenWindow] = []
    house.room.close(house.duty, window, seen.append, silent)
    return seen[0].audits.tolist() if seen else None


def _frozen(house: House, *picks: int) -> int:
    house.items(*IDS)
    return house.freeze(*picks, terms=DOUBLE)


def test_two_experts_are_asked_and_nobody_twice(house: House) -> None:
    window = _frozen(house, 0, 2)
    assert [row.item for row in house.asked("audit")] == ["a", "a", "c", "c"]
    assert house.window(window).protocol == AuditProtocol.DOUBLE
    house.answer("eve", 1, 1)
    person = house.questions.enroll("eve", "expert").id
    assert house.questions.lease(person, "expert", 9, 60) == []
    assert _audits(house, window) is None
    house.answer("ann", 1, 1)
    assert _audits(house, window) == [1, 1]
    assert len(house.asked("audit")) == 4, "nobody is asked where two agree, whatever the machine said"


def test_two_who_agree_against_the_machine_are_not_asked_again(house: House) -> None:
    window = _frozen(house, 0)
    house.answer("eve", 0)
    house.answer("ann", 0)
    assert _audits(house, window) == [0]
    assert len(house.asked("audit")) == 2


@pytest.mark.parametrize(("third", "found"), [(0, 0), (1, 1), (2, UNDECIDED)])
def test_where_two_differ_a_third_decides(house: House, third: int, found: int) -> None:
    told: list[AuditMade] = []

    def compose(made: list[AuditMade]) -> list[OutMessage]:
        told.extend(made)
        return []

    window = _frozen(house, 0)
    house.answer("eve", 0)
    house.answer("ann", 1)
    assert not house.close(window, compose=compose)
    assert not house.close(window, compose=compose)
    assert [(one.item, one.ask.priority) for one in told] == [("a", 20.0)]
    assert [(row.item, row.window) for row in house.asked("audit")] == [("a", window)] * 3
    house.answer("ben", third)
    assert _audits(house, window) == [found]


def test_a_missing_answer_is_an_error_at_the_deadline(house: House, clock: MovableClock) -> None:
    window = _frozen(house, 0, 1)
    house.answer("eve", 1, 1)
    house.answer("ann", 1)
    clock.advance(601)
    assert _audits(house, window) == [1, UNANSWERED]
    assert house.close(window)
    (record,) = house.room.closed_windows(1)
    assert record.wrong.tolist() == [False, True]
    assert sorted(row.state for row in house.asked("audit")) == ["answered"] * 3 + ["expired"]


def test_no_third_is_asked_when_the_time_is_up(house: House, clock: MovableClock) -> None:
    window = _frozen(house, 0)
    house.answer("eve", 0)
    house.answer("ann", 1)
    clock.advance(601)
    assert house.close(window)
    assert len(house.asked("audit")) == 2


def test_the_third_is_asked_when_there_is_money(database: Database, clock: MovableClock) -> None:
    house = House(database)
    window = _frozen(house, 0)
    house.answer("eve", 0)
    house.answer("ann", 1)
    waiting = count(database, recheck)
    poor = WindowRoom(database, {"expert": 29}, house.coins)
    for _ in range(2):
        assert not poor.close(house.duty, window, closing, silent)
    assert len(house.asked("audit")) == 2
    assert count(database, recheck) == waiting, "trying again leaves nothing behind"
    assert not WindowRoom(database, {"expert": 30}, house.coins).close(house.duty, window, closing, silent)
    assert len(house.asked("audit")) == 3
    (money,) = all_rows(database, budgets)
    assert (money.reserved, money.spent) == (10, 20)


def test_the_money_for_thirds_must_be_there_before_the_seed(database: Database) -> None:
    house = House(database, cap=239)
    house.items(*IDS)
    refused = house.room.freeze(house.duty, 9, lambda frozen: DOUBLE, silent)
    assert (refused, house.coins.tossed) == (None, [])
    assert House(database, cap=240).freeze(0, terms=DOUBLE) is not None


def test_one_of_two_takes_back_what_split_them(house: House) -> None:
    window = _frozen(house, 0)
    house.answer("eve", 0)
    house.answer("ann", 1)
    assert not house.close(window)
    person = house.questions.enroll("ann", "expert").id
    again = house.questions.undo(person, 60)
    assert again is not None
    assert _audits(house, window) is None
    house.questions.answer(again.question, person, 0, 1.0)
    assert _audits(house, window) == [0]
    assert house.close(window)
    assert count(house.database, questions, questions.c.state == "expired") == 1


def test_the_ledger_is_audited_in_the_same_way(house: House) -> None:
    window = house.release(IDS, 0, 3, terms=DOUBLE)
    assert [row.item for row in house.asked()] == ["a", "a", "d", "d"]
    house.answer("eve", 1, 0)
    house.answer("ann", 1, 1)
    record = house.settle()
    assert (record.waiting_audits, house.window(window).outgoing_wrong) == (1, 0)
    assert [row.item for row in house.asked()] == ["a", "a", "d", "d", "d"]
    house.answer("ben", 0)
    record = house.settle()
    assert (record.windows, record.audited, record.found) == (1, 2, 1)
