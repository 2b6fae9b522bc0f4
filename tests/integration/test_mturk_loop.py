"""A tier that workers of Mechanical Turk answer, on a store: all are paid, nothing is shown twice."""

import re
import threading
from collections.abc import Mapping
from decimal import Decimal

import pytest
from crowd_outside import HOUR, crowd_loop, questions_about
from kafka_fixtures import wait_until
from mturk_fixtures import TASK, Turk, form
from rows_for_tests import add_annotator, add_answer, all_rows, count

from daemon.adapters.outside.mturk.page import digest_of
from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.outside import OutsideRoom
from daemon.adapters.store.schema import annotators, answers, budgets, questions, spend
from daemon.core.outside import OutsideUnavailable
from daemon.core.outside_loop import OutsideLoop

MONEY = Decimal("100.00")


class House:
    """A tier at Mechanical Turk."""

    def __init__(self, database: Database, clock: MovableClock, turk: Turk) -> None:
        self.database = database
        self.turk = turk
        self.database_clock = clock
        self.told: list[Mapping[str, object]] = []
        self.loop = self.new_loop()

    def new_loop(self, name: str = "Paused: mail / crowd (0)") -> OutsideLoop:
        """As a process that starts makes it."""
        return crowd_loop(self.database, self.turk.queue(name=name), self.told.append, pays_all=True)

    def ask(self, *ids: str) -> list[int]:
        """Questions about new items."""
        return questions_about(self.database, ids, price=60_000)

    def pass_time(self, seconds: int) -> None:
        """On all clocks."""
        self.turk.clock.seconds += seconds
        self.database_clock.advance(seconds)

    def spent(self) -> Decimal:
        """Dollars, at Mechanical Turk and in our books."""
        there = MONEY - self.turk.mturk.money
        paid = [row.micros for row in all_rows(self.database, spend, spend.c.state == "spent")]
        assert sum(paid) == sum(row.spent for row in all_rows(self.database, budgets))
        assert there == Decimal(sum(paid)) / 1_000_000
        return there

    def pause(self, name: str, state: str = "paused") -> None:
        """As a lead does."""
        with self.database.write() as connection:
            chosen = annotators.c.name == name
            connection.execute(annotators.update().where(chosen).values(state=state))


@pytest.fixture
def house(database: Database, clock: MovableClock, turk: Turk) -> House:
    """With three questions at once."""
    return House(database, clock, turk)


def test_answers_are_booked_paid_and_the_next_questions_shown(house: House) -> None:
    ids = house.ask("a", "b", "c", "d", "e")
    house.loop.turn()
    assert house.turk.offered == ids[:3]
    assert house.turk.hit(ids[0]).asked["Keywords"] == "text"
    house.turk.answer(ids[0])
    house.turk.answer(ids[1], 0, "A1BOB")
    house.loop.turn()
    assert house.spent() == Decimal("0.12"), "both were approved"
    assert house.turk.offered == ids[2:]
    rows = all_rows(house.database, answers)
    assert [(row.item, row.labels, row.seconds) for row in rows] == [("a", b"\x01", 7), ("b", b"\x00", 7)]
    people = all_rows(house.database, annotators, annotators.c.kind == "person")
    assert [(row.name, row.tier) for row in people] == [("A1ANN", "crowd"), ("A1BOB", "crowd")]
    assert len(house.turk.mturk.hits) == 3, "HITs that are done with are deleted"


def test_a_second_answer_of_one_worker_is_paid_not_counted_and_asked_of_another(house: House) -> None:
    (question,) = house.ask("a")
    ann = add_annotator(house.database, "A1ANN", "expert")
    add_answer(house.database, "a", ann, 0)
    house.loop.turn()
    house.turk.answer(question)
    house.loop.turn()
    assert house.spent() == Decimal("0.06")
    assert count(house.database, answers) == 1
    for _ in range(3):
        assert house.turk.offered == [question], "another HIT, and no third one"
        house.loop.turn()
    house.turk.answer(question)
    house.loop.turn()
    house.turk.answer(question, 1, "A1BOB")
    house.loop.turn()
    assert count(house.database, answers) == 2
    assert house.loop.tally.refused == 2
    assert house.spent() == Decimal("0.18"), "and all of it is in the tier's budget"
    assert house.turk.mturk.hits == {}


def test_pages_know_who_has_answered_the_item(house: House) -> None:
    first, second = house.ask("a", "b")
    add_answer(house.database, "a", add_annotator(house.database, "A1ANN", "expert"), 0)
    house.loop.turn()
    known, unknown = (house.turk.mturk.page(house.turk.hit(question).id) for question in (first, second))
    (salt,) = re.findall(r'data-salt="([0-9a-f]+)"', known)
    assert f'data-done="{digest_of(salt, "A1ANN")}"' in known
    assert 'data-done=""' in unknown


def test_work_in_vain_ends_with_the_budget_of_the_day(house: House) -> None:
    ids = house.ask("a", "b", "c")
    house.loop.store = OutsideRoom(house.database, ["crowd"], Allowances({"crowd": 300_000}), pays_all=True)
    for turn in range(9):
        house.loop.turn()
        for question in house.turk.offered:
            assignment = house.turk.mturk.accept(house.turk.hit(question).id, f"A1BOT{turn}")
            house.turk.mturk.submit(assignment, [("label", "eggs")])
    assert house.spent() == Decimal("0.30"), "five answers"
    assert house.turk.offered == []
    assert [row.state for row in all_rows(house.database, questions)] == ["open"] * len(ids)


def test_an_answer_that_names_no_class_is_paid_and_asked_anew(house: House) -> None:
    (question,) = house.ask("a")
    house.loop.turn()
    assignment = house.turk.mturk.accept(house.turk.hit(question).id, "A1BOT")
    house.turk.mturk.submit(assignment, [("label", "eggs")])
    house.loop.turn()
    assert house.spent() == Decimal("0.06")
    assert count(house.database, answers) == 0
    assert house.turk.offered == [question]


def test_what_somebody_rejects_by_hand_is_no_answer_and_asked_anew(house: House) -> None:
    (question,) = house.ask("a")
    house.loop.turn()
    house.turk.mturk.reject(house.turk.answer(question))
    house.loop.turn()
    assert count(house.database, answers) == 0
    house.pass_time(HOUR + 1)
    house.loop.turn()
    assert house.turk.offered == [question]
    assert house.spent() == 0


def test_what_somebody_works_on_when_it_is_withdrawn_is_paid_and_taken_while_it_is_open(
    house: House,
) -> None:
    gone, late = house.ask("a", "b")
    house.loop.turn()
    working = [house.turk.mturk.accept(house.turk.hit(question).id, "A1ANN") for question in (gone, late)]
    with house.database.write() as connection:
        ended = {"state": "cancelled", "holder": None, "leased_until": None}
        connection.execute(questions.update().where(questions.c.id == gone).values(**ended))
        freed = {"state": "open", "holder": None, "leased_until": None}
        connection.execute(questions.update().where(questions.c.id == late).values(**freed))
    house.loop.outstanding = 0
    house.loop.turn()
    assert house.turk.mturk.visible("A1BOB") == []
    for assignment in working:
        house.turk.mturk.submit(assignment, form(TASK, 1))
    house.loop.turn()
    assert house.spent() == Decimal("0.12")
    assert [row.item for row in all_rows(house.database, answers)] == ["b"]
    house.loop.turn()
    assert house.turk.mturk.hits == {}


def test_what_nobody_answers_in_time_is_shown_anew_once(house: House) -> None:
    (question,) = house.ask("a")
    for _ in range(3):
        house.loop.turn()
        house.loop.turn()
        assert house.turk.offered == [question]
        house.pass_time(HOUR + 1)
        assert house.turk.offered == []
    house.loop.turn()
    assert len(house.turk.mturk.hits) == 1


def test_a_crash_or_a_lost_reply_at_any_point_makes_no_second_hit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = house.ask("a", "b", "c")
    house.turk.server.lost = ["CreateHIT"]
    with pytest.raises(OutsideUnavailable):
        house.loop.turn()
    assert len(house.turk.mturk.hits) == 1, "made, and the reply was lost"
    house.loop = house.new_loop()
    with monkeypatch.context() as patch:
        patch.setitem(_calls(), "ListHITsForQualificationType", lambda *_: {"HITs": []})
        house.loop.turn()  # the list may lag behind
    assert house.turk.offered == ids
    house.loop.turn()
    assert house.turk.offered == ids


def _calls() -> dict[str, object]:
    from daemon.adapters.outside.mturk import fake

    return fake.CALLS  # type: ignore[return-value]


@pytest.mark.parametrize("answered", [False, True], ids=["taken", "in vain"])
def test_a_crash_between_taking_and_paying_is_put_right_by_the_next_process(
    house: House, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    (question,) = house.ask("a")
    if answered:
        add_answer(house.database, "a", add_annotator(house.database, "A1ANN", "expert"), 0)
    house.loop.turn()
    house.turk.answer(question)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(house.loop.outside, "settle", dies)
        with pytest.raises(KeyboardInterrupt):
            house.loop.turn()
    house.loop = house.new_loop()
    house.loop.turn()
    assert house.spent() == Decimal("0.06")
    assert house.turk.offered == [question] * answered
    assert count(house.database, answers) == 1


def test_answers_that_were_approved_while_nobody_looked_count(house: House) -> None:
    (question,) = house.ask("a")
    house.loop.turn()
    house.turk.answer(question)
    house.pass_time(3 * 86_400)
    house.loop = house.new_loop()
    house.loop.turn()
    assert house.spent() == Decimal("0.06")
    assert [row.item for row in all_rows(house.database, answers)] == ["a"]


def test_paused_workers_see_nothing_until_they_are_let_on(house: House) -> None:
    first, second = house.ask("a", "b")
    house.loop.turn()
    house.turk.answer(first)
    house.loop.turn()
    assert len(house.turk.mturk.visible("A1ANN")) == 1
    working = house.turk.mturk.accept(house.turk.hit(second).id, "A1ANN")
    house.pause("A1ANN")
    house.loop.turn()
    assert house.turk.mturk.visible("A1ANN") == []
    house.turk.mturk.submit(working, form(TASK, 1))
    house.loop.turn()
    assert house.spent() == Decimal("0.12"), "the work was done"
    assert count(house.database, answers) == 1
    assert house.turk.offered == [second]
    assert house.turk.mturk.visible("A1ANN") == []
    assert len(house.turk.mturk.visible("A1BOB")) == 1
    house.loop = house.new_loop()
    house.pause("A1ANN", "active")
    (third,) = house.ask("c")
    house.loop.turn()
    assert house.turk.hit(third).id in house.turk.mturk.visible("A1ANN")


def test_a_paused_name_that_no_worker_has_stops_nobody(house: House) -> None:
    (question,) = house.ask("a")
    house.turk.mturk.unknown = {"ANN"}
    for name in ("ANN", "ann@example.com", "A1BOB"):
        add_annotator(house.database, name, "crowd")
        house.pause(name)
    house.loop.turn()
    house.loop.turn()
    assert house.turk.offered == [question]
    assert house.turk.mturk.calls.count("AssociateQualificationWithWorker") == 2, "each tried once"
    assert house.turk.mturk.visible("A1BOB") == []


def test_with_too_little_money_the_tier_waits_and_says_so(house: House) -> None:
    ids = house.ask("a", "b", "c")
    house.turk.mturk.money = Decimal("0.13")
    runner = threading.Thread(target=house.loop.run)
    runner.start()
    try:
        wait_until(lambda: any("has 0.01 USD left" in str(told["doing"]) for told in house.told))
        assert house.turk.offered == ids[:2], "as far as it goes"
        house.turk.mturk.money = Decimal(10)
        wait_until(lambda: house.turk.offered == ids and house.told[-1]["doing"] == "asking")
    finally:
        house.loop.stop.set()
        runner.join(30)


def test_throttling_and_an_outage_are_waited_for(house: House) -> None:
    (question,) = house.ask("a")
    house.turk.server.fails = [(400, "ThrottlingException"), (503, "ServiceUnavailable")]
    runner = threading.Thread(target=house.loop.run)
    runner.start()
    try:
        wait_until(lambda: house.turk.offered == [question])
    finally:
        house.loop.stop.set()
        runner.join(30)
    said = [str(told["doing"]) for told in house.told]
    assert any("ThrottlingException" in one for one in said)


def test_throttling_is_tried_again_within_a_call(house: House) -> None:
    house.turk.server.fails = [(400, "ThrottlingException")]
    client = house.turk.client(attempts=3)
    assert client.balance() == 100_000_000


def test_hits_of_another_database_and_of_others_are_left_alone(house: House) -> None:
    house.ask("a")
    house.loop.turn()
    (theirs,) = house.turk.mturk.hits
    house.turk.mturk.hits[theirs].asked["RequesterAnnotation"] = "by somebody else"
    other = house.turk.queue(name="Paused: mail / crowd (1)")
    for queue in (other, house.loop.outside):
        assert queue.look().shown == frozenset()
        queue.withdraw([1])
    assert house.turk.mturk.visible("A1ANN") == [theirs]
