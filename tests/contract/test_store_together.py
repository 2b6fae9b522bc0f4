"""Every room at once, in threads: nobody locks anybody out, and the books balance at the end."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from decisions_for_tests import arrivals, ask, decision, message, silent, span, start
from numpy.typing import NDArray
from rows_for_tests import all_rows, count

from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.budget import PAID_WHEN_MADE
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, budgets, items, labels, questions, spend
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.errors import LeaseLost
from daemon.core.rows import Compose, Decision, OpenItem
from daemon.core.states import ItemState, LabelStatus
from daemon.core.window_rows import Closing, Frozen, OpenWindow, WindowPlan

CAPS = {"expert": 2_000, "crowd": None}
SECONDS = 3.0


class Crew:
    """Runs jobs again and again until time is up; keeps whatever goes wrong."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.errors: list[Exception] = []
        self.threads: list[threading.Thread] = []

    def add(self, job: Callable[[], object]) -> None:
        def run() -> None:
            try:
                while not self.stop.is_set():
                    job()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
                self.errors.append(error)
                self.stop.set()

        self.threads.append(threading.Thread(target=run))

    def work(self, seconds: float) -> None:
        for thread in self.threads:
            thread.start()
        self.stop.wait(seconds)
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=60)


def _stream(database: Database, partition: int) -> Callable[[], None]:
    room = StreamRoom(database, CAPS)
    room.locate([start(partition)])
    numbers = itertools.count()

    def save() -> None:
        first = next(numbers) * 20
        ids = [f"{partition}-{first + row}" for row in range(20)]
        asks = [ask(row, tier="expert" if row % 2 else "crowd", priority=row) for row in range(0, 20, 3)]
        made = decision(20, ItemState.ASKING if asks else ItemState.READY, asks=asks)
        made = Decision(
            made.posterior,
            made.labels,
            made.scores,
            made.classifier,
            None,
            [ItemState.ASKING if row % 3 == 0 else ItemState.READY for row in range(20)],
            made.publish,
            made.status,
            made.withdraw,
            asks,
        )
        room.save_batch(
            [span(first, first + 20, partition)], arrivals(ids, partition), made, silent, {"x": 1}
        )

    return save


def _decide(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
    human = np.array([any(answer.tier == "expert" for answer in item.answers) for item in found])
    heard = np.array([bool(item.answers) for item in found])
    plain = decision(len(found))
    return (
        Decision(
            plain.posterior,
            plain.labels,
            plain.scores,
            None,
            None,
            [ItemState.HUMAN if told else ItemState.READY for told in human],
            human,
            [LabelStatus.HUMAN] * len(found),
            heard,
            [ask(row, tier="expert") for row in np.flatnonzero(heard & ~human).tolist()],
        ),
        lambda asked: [message("label")],
    )


def _reviewer(database: Database, name: str, tier: str) -> Callable[[], None]:
    room = QuestionRoom(database, Allowances(CAPS))
    person = room.enroll(name, tier).id
    turns = itertools.count()

    def review() -> None:
        for lease in room.lease(person, tier, 3, 30):
            try:
                room.answer(lease.question, person, 1, 1.0)
            except LeaseLost:
                continue
        if next(turns) % 4 == 3:
            again = room.undo(person, 30)
            if again is not None:
                room.skip(again.question, person)

    return review


def _terms(frozen: Frozen) -> WindowPlan:
    return WindowPlan(0.1, 0.05, 0.1, np.array([0.5]), 0, "expert", 10, 9.0, 0.4)


def _judge(window: OpenWindow) -> Closing:
    plain = decision(len(window.items), ItemState.CERTIFIED, status=LabelStatus.CERTIFIED, window=window.id)
    return Closing(
        np.array([1]), np.array([0]), 0.5, plain, np.arange(len(window.items)) % 5 == 0, lambda asked: []
    )


def _toss(seed: int, n: int, p: float) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random(n) < p


def _tend(database: Database) -> Callable[[], None]:
    room = WindowRoom(database, CAPS, _toss)
    duty = StreamRoom(database, CAPS).take_duty("windows", "me", 600)
    assert duty is not None

    def tend() -> None:
        for window in room.open_windows():
            room.close(duty, window, _judge, silent)
        room.freeze(duty, 40, _terms, silent)

    return tend


def _look_again(database: Database) -> None:
    LearningRoom(database).look_again("bundle")
    time.sleep(0.2)


@pytest.mark.timeout(120)
def test_all_rooms_work_at_once_and_the_books_balance(database: Database) -> None:
    crew = Crew()
    for partition in range(2):
        crew.add(_stream(database, partition))
        crew.add(lambda: StreamRoom(database, CAPS).work_rechecks(30, _decide))
        crew.add(_reviewer(database, f"expert {partition}", "expert"))
        crew.add(_reviewer(database, f"worker {partition}", "crowd"))
    crew.add(_tend(database))
    crew.add(lambda: _look_again(database))
    crew.work(SECONDS)

    assert crew.errors == []
    assert count(database, items) > 0
    assert count(database, answers) > 0
    _books_balance(database)
    _revisions_are_gapless(database)


def _books_balance(database: Database) -> None:
    money = all_rows(database, spend)
    for budget in all_rows(database, budgets):
        for state in ("reserved", "spent"):
            booked = sum(row.micros for row in money if (row.tier, row.state) == (budget.tier, state))
            assert booked == getattr(budget, state), (budget.tier, state)
        assert budget.cap is None or budget.reserved + budget.spent <= budget.cap
    wanted = {row.id: row for row in all_rows(database, questions)}
    for row in money:
        state, audit = wanted[row.question].state, wanted[row.question].purpose in PAID_WHEN_MADE
        if row.state == "spent":
            assert state == "answered"
        elif row.state == "reserved":
            assert state == "leased" or (audit and state == "open")
        elif audit:
            assert state in ("cancelled", "expired"), "what a lease gave back may be asked again"


def _revisions_are_gapless(database: Database) -> None:
    written: dict[str, list[int]] = {}
    for row in all_rows(database, labels):
        written.setdefault(row.item, []).append(row.revision)
    for item in all_rows(database, items):
        assert written.get(item.id, []) == list(range(1, item.revision + 1))
