"""The loop of a queue outside, on a store: what is held is shown, and nothing else; nothing is lost."""

import threading
from collections.abc import Mapping

import pytest
from crowd_outside import HOUR, crowd_loop, questions_about
from kafka_fixtures import wait_until
from rows_for_tests import add_annotator, add_answer, all_rows, count

from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.adapters.outside.label_studio.fake import FakeLabelStudio
from daemon.adapters.outside.label_studio.labeling import result_of
from daemon.adapters.outside.label_studio.queue import LabelStudioQueue
from daemon.adapters.outside.label_studio.settings import LabelStudioSettings
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import annotators, answers, questions
from daemon.core import outside_loop
from daemon.core.outside import OutsideUnavailable
from daemon.core.outside_loop import OutsideLoop
from labeling_functions.task import Task

TASK = Task("mail", ("ham", "spam"))


class House:
    """A tier in a Label Studio in memory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.studio = FakeLabelStudio()
        self.told: list[Mapping[str, object]] = []
        self.works = True
        self.loop = self.new_loop()

    def new_loop(self) -> OutsideLoop:
        """As a process that starts makes it."""
        client = LabelStudioClient(LabelStudioSettings("http://studio"), self.studio.transport)
        outside = LabelStudioQueue(client, TASK, "mail / crowd", suggest=False)
        return crowd_loop(self.database, outside, self.told.append, working=lambda: self.works)

    def ask(self, *ids: str) -> list[int]:
        """Questions about new items."""
        return questions_about(self.database, ids, price=5)

    @property
    def shown(self) -> dict[int, int]:
        """Question -> task."""
        return {task["meta"]["labelloop"]: number for number, task in list(self.studio.tasks.items())}

    def answer(self, question: int, label: int = 1, who: str = "ann@example.com") -> None:
        """Somebody answers in Label Studio."""
        self.studio.annotate(self.shown[question], result_of(TASK, label), who)


@pytest.fixture
def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> House:
    """With its token set."""
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "fake-token")
    return House(database)


def test_answers_are_booked_and_the_next_questions_shown(house: House) -> None:
    ids = house.ask("a", "b", "c", "d", "e")
    house.loop.turn()
    assert set(house.shown) == set(ids[:3])
    house.answer(ids[0])
    house.answer(ids[1], 0, "bob@example.com")
    house.loop.turn()
    assert set(house.shown) == set(ids[2:])
    rows = all_rows(house.database, answers)
    assert [(row.item, row.labels, row.cost) for row in rows] == [("a", b"\x01", 5), ("b", b"\x00", 5)]
    people = all_rows(house.database, annotators, annotators.c.kind == "person")
    assert [(row.name, row.tier) for row in people] == [
        ("ann@example.com", "crowd"),
        ("bob@example.com", "crowd"),
    ]


def test_what_became_unnecessary_disappears_and_what_ran_out_comes_back(
    house: House, clock: MovableClock
) -> None:
    first, second = house.ask("a", "b")
    house.loop.turn()
    with house.database.write() as connection:
        ended = {"state": "cancelled", "holder": None, "leased_until": None}
        connection.execute(questions.update().where(questions.c.id == first).values(**ended))
    house.loop.turn()
    assert set(house.shown) == {second}
    clock.advance(HOUR + 1)
    house.loop.turn()
    assert set(house.shown) == {second}
    assert [row.attempt for row in all_rows(house.database, questions, questions.c.id == second)] == [2]


def test_a_crash_at_any_point_is_put_right_by_the_next_process(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = house.ask("a", "b", "c")
    outside, store = house.loop.outside, house.loop.store

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outside, "offer", dies)
        with pytest.raises(KeyboardInterrupt):
            house.loop.turn()
    assert len(store.held(house.loop.queue)) == 3, "held and not yet shown"
    house.loop = house.new_loop()
    house.loop.turn()
    assert sorted(house.shown) == ids
    house.answer(ids[0])
    with monkeypatch.context() as patch:
        patch.setattr(house.loop.outside, "withdraw", dies)
        with pytest.raises(KeyboardInterrupt):
            house.loop.turn()
    assert count(house.database, answers) == 1, "answered and not yet taken away"
    house.loop = house.new_loop()
    house.loop.turn()
    assert (sorted(house.shown), count(house.database, answers)) == (ids[1:], 1)


def test_a_second_answer_of_one_person_is_not_taken_and_the_question_stays(house: House) -> None:
    (question,) = house.ask("a")
    ann = add_annotator(house.database, "ann@example.com", "expert")
    add_answer(house.database, "a", ann, 0)
    house.loop.turn()
    house.answer(question)
    house.loop.turn()
    house.loop.turn()
    assert count(house.database, answers) == 1
    assert house.loop.tally.refused == 1, "counted once, however often it is seen"
    house.answer(question, 1, "bob@example.com")
    house.loop.turn()
    assert count(house.database, answers) == 2
    assert house.shown == {}


def _rests(told: Mapping[str, object], why: str) -> bool:
    doing = str(told["doing"])
    return doing.startswith("resting: ") and why in doing


def test_an_outage_is_waited_for_and_said(house: House) -> None:
    house.ask("a")
    house.studio.reachable = False
    with pytest.raises(OutsideUnavailable):
        house.loop.turn()
    runner = threading.Thread(target=house.loop.run)
    runner.start()
    try:
        wait_until(lambda: any(_rests(told, "connection refused") for told in house.told))
        house.studio.reachable = True
        wait_until(lambda: len(house.shown) == 1 and house.told[-1]["doing"] == "asking")
    finally:
        house.loop.stop.set()
        runner.join(30)


def test_a_process_that_is_told_to_end_in_a_long_turn_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.ask("a", "b", "c")
    monkeypatch.setattr(outside_loop, "OFFERED_AT_ONCE", 1)
    offer = house.loop.outside.offer

    def told_to_end(*given: object) -> None:
        offer(*given)  # type: ignore[arg-type]
        house.loop.stop.set()

    monkeypatch.setattr(house.loop.outside, "offer", told_to_end)
    house.loop.turn()
    assert len(house.shown) == 1


def test_a_process_without_the_duty_shows_nothing(house: House) -> None:
    house.ask("a")
    house.works = False
    runner = threading.Thread(target=house.loop.run)
    runner.start()
    try:
        wait_until(lambda: len(house.told) > 2)
    finally:
        house.loop.stop.set()
        runner.join(30)
    assert house.shown == {}
