"""The ledger of released labels: coins after the verdict, audits that nobody loses, entries that stand."""

import numpy as np
import pytest
from decisions_for_tests import always, decision, silent
from rows_for_tests import add_items, all_rows, count
from window_harness import Crash, House, closing

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.ledger import LedgerRoom
from daemon.adapters.store.schema import answers, budgets, items, labels, ledgers, questions, spend, windows
from daemon.adapters.store.stories import story
from daemon.adapters.store.windows import WindowRoom
from daemon.core.errors import DutyLost, LeaseLost, Unaffordable
from daemon.core.rows import AuditMade
from daemon.core.states import AuditProtocol, ItemState, Purpose
from daemon.core.window_rows import OpenWindow
from daemon.core.wire import OutMessage

IDS = ["a", "b", "c", "d"]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_coins_fall_on_released_labels_once_the_verdict_is_there(house: House) -> None:
    house.items(*IDS)
    window = house.freeze()
    house.coins.tossed.clear()

    def judge(found: OpenWindow):
        assert house.coins.tossed == [], "the seed must not exist before the verdict"
        return closing(found, back=["c"])

    house.coins.picks = (1, 2)
    assert house.room.close(house.duty, window, judge, silent)

    row = house.window(window)
    ((seed, p),) = house.coins.tossed
    assert (p, f"{seed:032x}") == ([0.25] * 4, row.outgoing_seed)
    assert row.outgoing_seed != row.seed
    assert np.frombuffer(row.outgoing, "<i4").tolist() == [1], "item c was not released"
    assert (row.outgoing_open, row.outgoing_wrong) == (1, 0)
    assert row.outgoing_deadline - row.closed_at == 600_000
    (question,) = house.asked()
    assert (question.item, question.window, question.tier, question.price) == ("b", window, "expert", 10)
    assert question.priority == 19.0
    assert [row.micros for row in all_rows(house.database, spend)] == [10]


def test_audits_of_released_labels_are_blind_and_told_to_outside_queues(house: House) -> None:
    house.items(*IDS)
    window = house.freeze()
    told: list[AuditMade] = []

    def compose(made: list[AuditMade]) -> list[OutMessage]:
        told.extend(made)
        return []

    assert house.close(window, 2, compose=compose)
    assert [(one.item, one.ask.purpose) for one in told] == [("c", Purpose.OUTGOING)]
    person = house.questions.enroll("eve", "expert").id
    (lease,) = house.questions.lease(person, "expert", 5, 60)
    assert (lease.item, lease.blind) == ("c", True)


def test_a_window_that_releases_nothing_tosses_no_coins(house: House) -> None:
    house.items(*IDS)
    window = house.freeze()
    house.coins.tossed.clear()
    assert house.close(window, 0, 1, 2, 3, back=IDS)
    assert house.coins.tossed == []
    assert house.window(window).outgoing is None
    assert house.room.ledger().windows == 0


def test_a_window_from_before_the_ledger_closes_as_it_always_did(house: House) -> None:
    house.items(*IDS)
    window = house.freeze()
    with house.database.write() as connection:
        connection.execute(windows.update().values(outgoing_p=None))
    assert house.close(window, 0)
    assert house.asked() == []
    assert house.room.ledger().released == 0


def test_without_money_a_window_stays_open_and_no_seed_is_drawn(database: Database) -> None:
    rich = House(database)
    rich.items(*IDS)
    window = rich.freeze()
    before = [all_rows(database, table) for table in (windows, items, labels, questions, spend, budgets)]
    poor = WindowRoom(database, {"expert": 39}, rich.coins)
    rich.coins.tossed.clear()
    rich.coins.picks = (0,)
    with pytest.raises(Unaffordable):
        poor.close(rich.duty, window, closing, silent)
    after = [all_rows(database, table) for table in (windows, items, labels, questions, spend, budgets)]
    assert after == before
    assert rich.coins.tossed == [], "coins that were not needed must not be thrown again"
    assert WindowRoom(database, {"expert": 40}, rich.coins).close(rich.duty, window, closing, silent)


def test_a_window_is_not_frozen_when_the_day_could_not_pay_its_release(database: Database) -> None:
    house = House(database, cap=79)
    house.items(*IDS)
    with pytest.raises(AssertionError):
        house.freeze()
    assert house.coins.tossed == []
    House(database, cap=80).freeze()


def test_answers_are_counted_as_they_come(house: House) -> None:
    window = house.release(IDS, 0, 1, 3)
    assert house.settle().waiting_audits == 3
    house.answer("eve", 1, 0)
    record = house.settle()
    assert (house.window(window).outgoing_open, house.window(window).outgoing_wrong) == (1, 1)
    assert (record.windows, record.released, record.waiting_released) == (0, 0, 4)
    house.answer("eve", 1)
    record = house.settle()
    assert (record.windows, record.released, record.audited, record.found) == (1, 4, 3, 1)
    assert (record.p, record.waiting_windows, record.waiting_audits) == (0.25, 0, 0)
    assert house.room.settle_ledger(house.duty, silent) == 0


def test_the_label_that_counts_is_the_one_that_was_released(house: House) -> None:
    house.release(IDS, 0)
    with house.database.write() as connection:
        connection.execute(items.update().values(labels=np.array([0], np.int8).tobytes()))
    house.answer("eve", 0)
    assert house.settle().found == 1


def test_an_audit_that_never_came_is_an_error_and_its_question_expires(
    house: House, clock: MovableClock
) -> None:
    window = house.release(IDS, 0, 1)
    person = house.questions.enroll("eve", "expert").id
    house.questions.lease(person, "expert", 1, 60)
    house.answer("ann", 1)
    clock.advance(601)
    assert house.settle().found == 1
    assert house.window(window).outgoing_open == 0
    assert sorted(row.state for row in house.asked()) == ["answered", "expired"]
    (money,) = all_rows(house.database, budgets)
    assert (money.reserved, money.spent) == (0, 10)
    (late,) = [row.id for row in house.asked() if row.state == "expired"]
    with pytest.raises(LeaseLost):
        house.questions.answer(late, person, 1, 1.0)


def test_a_skip_only_passes_the_audit_on(house: House) -> None:
    house.release(IDS, 0)
    person = house.questions.enroll("eve", "expert").id
    (lease,) = house.questions.lease(person, "expert", 1, 60)
    house.questions.skip(lease.question, person)
    assert house.settle().waiting_audits == 1
    house.answer("ann", 1)
    assert (house.settle().found, house.room.ledger().windows) == (0, 1)


def test_an_answer_can_be_taken_back_until_its_entry_is_settled(house: House) -> None:
    window = house.release(IDS, 0, 1)
    house.answer("eve", 0)
    assert house.settle().waiting_audits == 1
    person = house.questions.enroll("eve", "expert").id
    again = house.questions.undo(person, 60)
    assert again is not None
    house.settle()
    assert (house.window(window).outgoing_open, house.window(window).outgoing_wrong) == (2, 0)
    house.questions.answer(again.question, person, 1, 1.0)
    house.answer("eve", 1)
    assert (house.settle().found, house.room.ledger().windows) == (0, 1)
    assert house.questions.undo(person, 60) is None, "a settled entry rests on it"
    assert count(house.database, answers, answers.c.retracted_at.is_(None)) == 2
    assert house.settle() == house.room.ledger()


def test_windows_count_in_the_order_in_which_they_closed(house: House) -> None:
    slow = house.release(["a"], 0)
    house.release(["b", "c"], 0)
    person = house.questions.enroll("eve", "expert").id
    first, second = house.questions.lease(person, "expert", 2, 60)
    assert first.item == "a"
    house.questions.answer(second.question, person, 1, 1.0)
    record = house.settle()
    assert (record.windows, record.released, record.waiting_windows, record.waiting_audits) == (0, 0, 2, 1)
    house.questions.answer(first.question, person, 0, 1.0)
    record = house.settle()
    assert (record.windows, record.released, record.audited, record.found) == (2, 3, 2, 1)
    assert next(step.window for step in LedgerRoom(house.database).steps()) == slow


def test_the_least_probability_is_told(house: House) -> None:
    house.release(["a"])
    with house.database.write() as connection:
        connection.execute(windows.update().values(outgoing_p=0.01))
    house.release(["b"])
    assert LedgerRoom(house.database).record().p == 0.01


def test_whatever_becomes_of_the_item_its_audit_stays(house: House) -> None:
    house.release(IDS, 0)
    house.answer("eve")
    with house.database.write() as connection:
        connection.exec_driver_sql("INSERT INTO recheck (item, reason, due) VALUES ('a', 'bundle', 0)")
    taken_back = always(decision(1, ItemState.READY, withdraw=True))
    assert house.stream.work_rechecks(9, taken_back) == 1
    assert [wanted.purpose for wanted in taken_back.seen[0].wanted] == [Purpose.OUTGOING]
    assert [row.state for row in house.asked()] == ["open"]
    house.answer("eve", 0)
    assert house.settle().found == 1


def test_two_windows_may_ask_about_one_item(house: House) -> None:
    """A label that a new bundle took back may be released again while its first audit is open."""
    first = house.release(["a"], 0)
    with house.database.write() as connection:
        connection.execute(items.update().values(state="ready", ready_since=1))
    second = house.freeze()
    assert house.close(second, 0)
    assert [row.window for row in house.asked()] == [first, second]
    house.answer("eve", 1)
    assert house.settle().waiting_audits == 1
    house.answer("ann", 0)
    record = house.settle()
    assert (record.audited, record.found) == (2, 1)


def test_a_new_ledger_needs_a_reason(house: House) -> None:
    room = LedgerRoom(house.database)
    for reason in ("", "  \n"):
        with pytest.raises(ValueError, match="reason"):
            room.restart(reason)
    assert count(house.database, ledgers) == 0


def test_a_new_ledger_counts_windows_that_freeze_after_it(house: House) -> None:
    old = house.release(["a", "b"], 0)
    house.answer("eve", 0)
    assert house.settle().found == 1
    house.items("c")
    frozen = house.freeze()
    record = LedgerRoom(house.database).restart(" the model was mended ")
    assert (record.after_window, record.reason) == (frozen, "the model was mended")
    assert house.close(frozen, 0), "it belongs to what made the new ledger necessary"
    assert house.window(frozen).certified == 0
    assert (house.room.ledger().released, house.room.ledger().found) == (0, 0)
    new = house.release(["d"])
    record = house.room.ledger()
    assert old < frozen < new
    assert (record.windows, record.released, record.since is not None) == (1, 1, True)
    assert LedgerRoom(house.database).record() == record


def test_audits_of_an_earlier_ledger_are_settled_all_the_same(house: House, clock: MovableClock) -> None:
    old = house.release(["a"], 0)
    LedgerRoom(house.database).restart("mended")
    clock.advance(601)
    assert house.settle().found == 0
    assert (house.window(old).outgoing_open, house.window(old).outgoing_wrong) == (0, 1)


def test_a_crash_between_freeze_and_audits_leaves_nothing(house: House) -> None:
    house.items(*IDS)
    house.coins.crash = True
    with pytest.raises(Crash):
        house.freeze()
    assert [count(house.database, table) for table in (windows, questions, spend)] == [0, 0, 0]
    house.coins.crash = False
    house.freeze()
    (died, _), (drawn, _) = house.coins.tossed
    assert died != drawn


def test_a_crash_between_verdict_and_audits_leaves_the_window_open(house: House) -> None:
    def die(made: list[AuditMade]) -> list[OutMessage]:
        if made:
            raise Crash
        return []

    house.items(*IDS)
    window = house.freeze()
    house.coins.tossed.clear()
    house.coins.crash = True
    with pytest.raises(Crash):
        house.close(window, 0)
    house.coins.crash = False
    with pytest.raises(Crash):
        house.close(window, 0, compose=die)
    assert house.room.open_windows() == [window]
    assert [count(house.database, table) for table in (labels, questions, spend)] == [0, 0, 0]
    assert house.window(window).outgoing_seed is None
    assert {row.state for row in all_rows(house.database, items)} == {"frozen"}

    assert house.close(window, 3)
    assert len({seed for seed, _ in house.coins.tossed}) == 3, "a coin that was seen is never used"
    assert [row.item for row in house.asked()] == ["d"]
    assert not house.close(window, 0, 1, 2, 3)
    assert [row.item for row in house.asked()] == ["d"]


def test_a_crash_while_settling_loses_no_audit(house: House, clock: MovableClock) -> None:
    def die(made: list[AuditMade]) -> list[OutMessage]:
        raise Crash

    window = house.release(IDS, 0, 1)
    house.answer("eve", 0)
    clock.advance(601)
    with pytest.raises(Crash):
        house.room.settle_ledger(house.duty, die)
    assert (house.window(window).outgoing_open, house.window(window).outgoing_wrong) == (2, 0)
    assert house.room.ledger().windows == 0
    record = house.settle()
    assert (record.windows, record.audited, record.found) == (1, 2, 2)


def test_a_worker_that_lost_the_duty_neither_closes_nor_settles(house: House, clock: MovableClock) -> None:
    settled = house.release(["a"], 0)
    house.answer("eve", 0)
    house.items("b")
    window = house.freeze()
    mine = house.take("me", 1)
    clock.advance(2)
    other = House.__new__(House)
    other.__dict__.update(house.__dict__)
    other.duty = house.take("other")
    house.coins.tossed.clear()
    with pytest.raises(DutyLost):
        house.room.close(mine, window, closing, silent)
    with pytest.raises(DutyLost):
        house.room.settle_ledger(mine, silent)
    assert house.coins.tossed == []
    assert house.window(settled).outgoing_open == 1
    assert house.room.ledger().found == 0
    assert other.settle().found == 1
    assert other.close(window, 0)
    assert len(house.coins.tossed) == 1
    house.duty = other.duty
    assert house.settle().found == 1, "the worker that was late sees what the other wrote"


def test_what_a_label_was_released_under_can_be_read_back(house: House) -> None:
    window = house.release(["a"])
    add_items(house.database, ["z"])
    with house.database.read() as connection:
        told = story(connection, "a")
    assert told is not None
    (revision,) = told.revisions
    certificate = revision.certificate
    assert certificate is not None
    assert (certificate.window, certificate.alpha, certificate.delta) == (window, 0.05, 0.1)
    assert (certificate.threshold, certificate.protocol) == (0.55, AuditProtocol.SINGLE)
