"""A small database with questions, and the review pages over it."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import uvicorn
from argon2 import PasswordHasher
from database_fixtures import blank_sqlite
from fastapi import FastAPI
from numpy.typing import NDArray
from sqlalchemy import insert, select, update

from daemon.adapters.passwords import Argon2
from daemon.adapters.store import asking
from daemon.adapters.store.accounts import AccountRoom
from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.codec import label_bytes, label_of, pack_frozen
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.erring import ErringRoom
from daemon.adapters.store.given import AnswerRoom
from daemon.adapters.store.insights import InsightRoom
from daemon.adapters.store.lead import LeadRoom
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.leasing import Hints
from daemon.adapters.store.login_tries import LoginTries
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.reviewers import ReviewerRoom
from daemon.adapters.store.schema import answers, flags, items, labels, questions, windows
from daemon.adapters.store.sessions import SessionRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.truths import TruthRoom
from daemon.adapters.watching.prometheus import exposition
from daemon.core.account_rows import Account, Actor, Grant, Role
from daemon.core.lead_ports import WhatIf
from daemon.core.readiness import Answers, Readiness
from daemon.core.rows import Ask, FunctionVersion
from daemon.core.settings import MICROS, GuaranteeSettings, TierSettings
from daemon.core.signing_in import Desk
from daemon.core.states import Purpose
from daemon.core.window_rows import Frozen
from daemon.review.app import ReviewServices, ReviewSettings, create_app, server_options
from labeling_functions.function import Function
from labeling_functions.label_space import LabelSpace, spread
from labeling_functions.task import Task
from models.bundle import Bundle
from models.forecast import Forecast

FUNCTIONS = 1
"""Id of the first function set of a database."""

CLASSES = ("ham", "spam")
TASK = Task(
    name="sms",
    classes=CLASSES,
    guidelines="Is it **spam**?\n\n- offers\n- <script>alert(1)</script>\n\n[bad](javascript:alert(1))",
    descriptions={"spam": "wants your money"},
)
TIERS = {
    "crowd": TierSettings(price=0.05, overlap=2),
    "expert": TierSettings(price=0.5, final=True, seconds_per_answer=30),
}


PASSWORD = "correct horse battery"


class FakePlanner:
    """Says that the more may be spent, the more is right; of a thousand items a day."""

    def what_if(self, budgets: Mapping[str, float | None], items_per_day: float | None = None) -> WhatIf:
        """A limit on experts makes labels worse."""
        limited = budgets.get("expert") is not None
        votes = {"crowd": 0.5, "expert": 0.01 if limited else 0.1}
        forecast = Forecast(0.9 if limited else 0.99, 0.5, 0.25, 0.03, votes)
        return WhatIf(items_per_day or 1_000.0, 30.0, forecast, ("No window has closed yet.",))


def desk_of(database: Database) -> Desk:
    """Accounts of this database, with hashes that are quick to make."""
    quick = Argon2(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Desk(AccountRoom(database), SessionRoom(database), LoginTries(database), quick)


SETTINGS = ReviewSettings(port=0)


class House:
    """A SQLite database of its own and the app over it."""

    def __init__(
        self,
        folder: Path,
        expert_budget: float = 100,
        task: Task = TASK,
        tiers: Mapping[str, TierSettings] = TIERS,
        settings: ReviewSettings = SETTINGS,
        functions: Sequence[Function] = (),
    ) -> None:
        self.clock = MovableClock()
        self.database = Database(blank_sqlite(folder / "labelloop.db"), self.clock)
        caps = {"expert": round(expert_budget * MICROS), "crowd": None}
        self.questions = QuestionRoom(
            self.database, Allowances(caps), task.space.n_facets, hints=Hints.of(tiers)
        )
        self.services = ReviewServices(
            questions=self.questions,
            reports=ReportRoom(self.database, caps, frozenset({"expert"})),
            insights=InsightRoom(self.database, frozenset({"expert"}), task.space.n_facets),
            reviewers=ReviewerRoom(self.database),
            truths=TruthRoom(self.database, task.space.n_facets),
            given=AnswerRoom(self.database),
            erring=ErringRoom(self.database),
            leading=LeadRoom(self.database),
            planner=FakePlanner(),
            desk=desk_of(self.database),
            expose=exposition,
            readiness=Readiness({"database": Answers("the database", self.database.ping)}),
            task=task,
            tiers=tiers,
            guarantee=GuaranteeSettings(),
            settings=settings,
            functions=functions,
            run_name="test run",
        )

    def app(self) -> FastAPI:
        return create_app(self.services)

    def learn(self, people: Mapping[str, NDArray[np.float64]], digest: str = "one") -> None:
        """A bundle that decides from now on, and has learned how these people err."""
        duty = StreamRoom(self.database, {}).take_duty("learning", "test", 600)
        assert duty is not None
        bundle = replace(Bundle.from_priors(self.services.task.space.options, {}), people=people)
        room = LearningRoom(self.database)
        room.promote(duty, room.save_bundle(digest, bundle.to_bytes(), None, None))

    def ask(
        self,
        texts: Sequence[str | dict[str, str]],
        tier: str = "expert",
        purpose: Purpose = Purpose.SETTLE,
        prefix: str = "item",
        images: Sequence[str] = (),
    ) -> list[str]:
        """Items (of texts, or of fields) with one question each, asked in this order; their ids."""
        ids = [f"{prefix}-{number:02d}" for number in range(len(texts))]
        asks = [
            Ask(row, tier, purpose, float(len(texts) - row), TIERS[tier].price_micros)
            for row in range(len(texts))
        ]
        with self.database.write() as connection:
            now = self.database.now(connection)
            space = self.services.task.space
            rows = [_item(id_, text, images, now, space) for id_, text in zip(ids, texts, strict=True)]
            connection.execute(insert(items), rows)
            connection.execute(insert(labels), [_label(id_, now, space) for id_ in ids])
            asking.ask(connection, ids, asks, {}, now)
        return ids

    def ask_again(self, ids: Sequence[str], tier: str = "expert", purpose: Purpose = Purpose.SETTLE) -> None:
        """Another question on each of these items."""
        asks = [Ask(row, tier, purpose, 1.0, TIERS[tier].price_micros) for row in range(len(ids))]
        with self.database.write() as connection:
            asking.ask(connection, list(ids), asks, {}, self.database.now(connection))

    def add_account(self, name: str, role: Role = Role.EXPERT, tiers: Sequence[str] = ("expert",)) -> Account:
        """An account with the password PASSWORD; the first one shuts the pages to everybody else."""
        desk = self.services.desk
        grant = Grant(role, tuple(tiers), name)
        return desk.accounts.add(grant, desk.passwords.hash(PASSWORD), Actor("test"))

    def close_window(self, n: int = 60, prefix: str = "frozen") -> None:
        """A window whose items are all audited; experts contradict every tenth label."""
        ids = self.ask(
            [f"{prefix} message {number}" for number in range(n)], purpose=Purpose.AUDIT, prefix=prefix
        )
        wrong = np.arange(n) % 10 == 9
        frozen = Frozen(ids, np.linspace(0.99, 0.6, n, dtype=np.float32), np.ones((n, 1), np.int8))
        row = {
            "state": "closed",
            "n": n,
            "p": 0.5,
            "alpha": 0.05,
            "delta": 0.1,
            "lambdas": np.array([0.8], "<f8").tobytes(),
            "start": 0,
            "tier": "expert",
            "price": 10,
            "priority": 20.0,
            "deadline": 0,
            "frozen_at": 0,
            "frozen": pack_frozen(frozen),
            "audited": np.arange(n, dtype="<i4").tobytes(),
            "wrong": wrong.astype(np.int8).tobytes(),
            "tau": 0.8,
            "certified": n // 2,
            "closed_at": 7,
        }
        auditor = self.questions.enroll("Auditor", "expert").id
        with self.database.write() as connection:
            window = connection.execute(insert(windows).values(**row).returning(windows.c.id)).scalar_one()
            connection.execute(
                update(questions).where(questions.c.item.in_(ids)).values(window=window, chance=0.5)
            )
        for lease in self.questions.lease(auditor, "expert", n, 600.0):
            self.questions.answer(lease.question, auditor, int(not wrong[ids.index(lease.item)]), 3.0)

    def register_functions(self, *names: str) -> None:
        """Give the two functions that voted on every item their names."""
        made = StreamRoom(self.database, {}).register_functions(
            [FunctionVersion(name, "1") for name in names]
        )
        assert made.id == FUNCTIONS

    def flags(self) -> dict[str, str]:
        """Item -> why somebody flagged it."""
        with self.database.read() as connection:
            return {row.item: row.note for row in connection.execute(select(flags))}

    def standing_answers(self) -> dict[str, str | list[str]]:
        """Item -> what every answer says that was not taken back."""
        with self.database.read() as connection:
            query = select(answers.c.item, answers.c.labels).where(answers.c.retracted_at.is_(None))
            said = self.services.task.space.said
            return {row.item: said(label_of(row.labels)) for row in connection.execute(query)}

    def close(self) -> None:
        self.database.close()


@contextmanager
def served(app: FastAPI, settings: ReviewSettings | None = None) -> Iterator[str]:
    """The app on a free loopback port, as `labelloop review` serves it; its address."""
    with running(app, settings) as server:
        yield address_of(server)


def address_of(server: uvicorn.Server) -> str:
    """Of a server that runs on loopback."""
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@contextmanager
def running(app: FastAPI, settings: ReviewSettings | None = None) -> Iterator[uvicorn.Server]:
    """The server of `served`, which shuts down at the end, or once it is told `should_exit`."""
    options = server_options(settings or ReviewSettings(port=0))
    server = uvicorn.Server(uvicorn.Config(app, **options))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = threading.Event()
    for _ in range(500):
        if server.started:
            break
        deadline.wait(0.02)
    assert server.started
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join()


def _second(space: LabelSpace) -> int:
    """The label of the second class alone."""
    return space.label_of([space.classes[1]] if space.sets else space.classes[1])


def _posterior(space: LabelSpace) -> bytes:
    options = spread(np.array([_second(space)]), space.n_facets)[0]
    n_options = len(space.options)
    by_facet = np.full((space.n_facets, n_options), 0.125 / (n_options - 1), np.float32)
    by_facet[np.arange(space.n_facets), options] = 0.875
    return by_facet.tobytes()


def _votes(space: LabelSpace) -> bytes:
    """Of two functions: the first says the second class, the other nothing."""
    said = np.full((2, space.n_facets), -1, np.int8)
    said[0, 1 if space.sets else 0] = 1
    return said.tobytes()


def _item(
    id_: str, content: str | dict[str, str], images: Sequence[str], now: int, space: LabelSpace
) -> dict[str, object]:
    told: dict[str, object] = {"text": content} if isinstance(content, str) else {"fields": content}
    return {
        "id": id_,
        "topic_id": "topic",
        "partition": 0,
        "offset": 0,
        "payload": json.dumps(
            {"id": id_, **told, "images": list(images), "metadata": {"source": "secret-metadata"}}
        ).encode(),
        "digest": bytes(16),
        "arrived": now,
        "functions": FUNCTIONS,
        "inline": _votes(space),
        "posterior": _posterior(space),
        "labels": label_bytes(_second(space), space.n_facets),
        "score": 0.875,
        "state": "asking",
        "revision": 1,
        "changed": now,
    }


def _label(id_: str, now: int, space: LabelSpace) -> dict[str, object]:
    return {
        "item": id_,
        "revision": 1,
        "labels": label_bytes(_second(space), space.n_facets),
        "probabilities": _posterior(space),
        "status": "provisional",
        "cost": 0,
        "at": now,
    }
