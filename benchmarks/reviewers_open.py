"""A hundred thousand open questions: calls over HTTP, pages, the browser, and what processes do beside."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import numpy as np
from sqlalchemy import text

from benchmarks.next_item import measure as measure_page
from benchmarks.past_the_program import past_the_program
from benchmarks.reviewers_play import Seen, people
from benchmarks.reviewers_world import CLASSES, OVERLAP, seed, truth
from daemon.adapters.store.bulk import bulk_insert, new_ids
from daemon.adapters.store.codec import label_bytes
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import answers, items, labels, questions
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.rows import Compose, Decision, FunctionVersion, OpenItem, Reprice
from daemon.core.states import ItemState, LabelStatus

PEOPLE = 10
SLOWER = 6.0
"""Leases last half a minute."""
HISTORY = 200_000
"""Items that machines settled before,"""
ANSWERED = 30_000
"""and that three people answered."""
KEYS = 100
CHUNK = 20_000
TIMES = 3
SLOW_SECONDS = 1.0
PAGES = (
    "/",
    "/dashboard",
    "/insights",
    "/lead",
    "/items/item-0",
    "/metrics",
    "/api/queues",
    "/api/overview",
    "/api/insights",
    "/api/lead",
    "/api/agreement",
    "/api/confusions",
    "/api/labels",
    "/api/reviewers",
    "/api/truths",
    "/api/items/item-0",
)
WHAT_IF = {"budgets": {"crowd": 100.0}}


@dataclass(frozen=True, slots=True)
class Timed:
    """What took how long, each time that it was done, in seconds."""

    what: str
    seconds: Sequence[float]

    @property
    def line(self) -> str:
        """As it is printed; slow ones are marked."""
        first, best = self.seconds[0], min(self.seconds)
        mark = "  SLOW" if first > SLOW_SECONDS else ""
        return f"{self.what:34} first {first * 1000:8.0f} ms, best {best * 1000:8.0f} ms{mark}"


def unpaused(config: dict[str, Any]) -> dict[str, Any]:
    """The same, but that nobody is paused: the browser always gives the first answer."""
    crowd = config["tiers"]["crowd"]
    controls = {name: value for name, value in crowd["controls"].items() if not name.startswith("pause")}
    return {**config, "tiers": {**config["tiers"], "crowd": {**crowd, "controls": controls}}}


def fill(url: str, n_open: int) -> None:
    """Seed a migrated, empty database: so many open questions, and what came before them."""
    seed(url, n_open // OVERLAP)
    database = Database(url)
    try:
        StreamRoom(database, {}).register_functions([FunctionVersion("f", "1")])
        crowd = [QuestionRoom(database).enroll(f"before-{number}", "crowd").id for number in range(30)]
        for begin in range(0, HISTORY + ANSWERED, CHUNK):
            numbers = range(begin, min(begin + CHUNK, HISTORY + ANSWERED))
            with database.write() as connection:
                _settled(connection, database.now(connection), numbers)
                _answered(connection, database.now(connection), numbers[: max(0, ANSWERED - begin)], crowd)
    finally:
        database.close()
    analyze(url)


def analyze(url: str) -> None:
    """What the server does by itself within a minute of so many rows."""
    with past_the_program(url).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def _settled(connection: Any, now: int, numbers: Sequence[int]) -> None:
    n, ids = len(numbers), [f"past-{number}" for number in numbers]
    sure = np.array([0.96, *[0.01] * (len(CLASSES) - 1)], np.float32).tobytes()
    human = [number < ANSWERED for number in numbers]
    columns: Mapping[str, Sequence[Any]] = {
        "id": ids,
        "topic_id": ["topic"] * n,
        "partition": [0] * n,
        "offset": list(numbers),
        "payload": [f'{{"id": "{id_}", "text": "message {id_}"}}'.encode() for id_ in ids],
        "digest": [bytes(16)] * n,
        "arrived": [now - 3_600_000 + number * 10 for number in numbers],
        "functions": [1] * n,
        "inline": [b"\xff"] * n,
        "posterior": [sure] * n,
        "labels": [label_bytes(truth(id_), 1) for id_ in ids],
        "score": [0.96] * n,
        "state": [ItemState.HUMAN.value if one else ItemState.CERTIFIED.value for one in human],
        "revision": [1] * n,
        "changed": [now] * n,
    }
    bulk_insert(connection, items, columns)
    told: Mapping[str, Sequence[Any]] = {
        "item": ids,
        "revision": [1] * n,
        "labels": columns["labels"],
        "probabilities": [sure] * n,
        "status": [LabelStatus.HUMAN.value if one else LabelStatus.CERTIFIED.value for one in human],
        "cost": [0] * n,
        "at": [now] * n,
    }
    bulk_insert(connection, labels, told)


def _answered(connection: Any, now: int, numbers: Sequence[int], crowd: Sequence[int]) -> None:
    rows = [
        (f"past-{number}", crowd[(number + turn) % len(crowd)]) for number in numbers for turn in range(3)
    ]
    if not rows:
        return
    n, ids = len(rows), new_ids(connection, questions, len(rows))
    about = [item for item, _ in rows]
    asked: Mapping[str, Sequence[Any]] = {
        "id": ids,
        "item": about,
        "tier": ["crowd"] * n,
        "purpose": ["settle"] * n,
        "priority": [0.0] * n,
        "price": [50_000] * n,
        "state": ["answered"] * n,
        "created": [now - 3_600_000] * n,
        "closed": [now] * n,
    }
    bulk_insert(connection, questions, asked)
    said: Mapping[str, Sequence[Any]] = {
        "item": about,
        "annotator": [who for _, who in rows],
        "question": ids,
        "purpose": ["settle"] * n,
        "labels": [label_bytes(truth(item), 1) for item in about],
        "cost": [50_000] * n,
        "at": [now - n + place for place in range(n)],
    }
    bulk_insert(connection, answers, said)


async def _review(addresses: Sequence[str], seconds: float) -> Seen:
    seen = Seen()
    working = [asyncio.create_task(one.work()) for one in people({"quick": PEOPLE}, addresses, seen, 1)]
    await asyncio.sleep(seconds)
    seen.stop.set()
    await asyncio.gather(*working)
    return seen


def calls(addresses: Sequence[str], seconds: float) -> Seen:
    """Ten people answer for so long; what they saw."""
    return asyncio.run(_review(addresses, seconds))


def pages(address: str) -> Iterator[Timed]:
    """Each page and list, as somebody who looks at it waits for it."""
    with httpx.Client(base_url=address, trust_env=False, timeout=120) as client:
        for path in PAGES:
            yield Timed(f"GET {path}", [_timed(partial(_get, client, path)) for _ in range(TIMES)])
        yield Timed("POST /api/what-if", [_timed(partial(_ask_what_if, client)) for _ in range(TIMES)])


def _get(client: httpx.Client, path: str) -> None:
    _good(client.get(path))


def _ask_what_if(client: httpx.Client) -> None:
    _good(client.post("/api/what-if", json=WHAT_IF))


def page(address: str) -> list[float]:
    """Seconds from a key to the painted next item, in a browser."""
    return [wait / 1000 for wait in measure_page(address, "crowd", KEYS)]


def beside(url: str) -> Iterator[Timed]:
    """What workers and learner do whose cost may follow the number of open questions."""
    database = Database(url)
    stream = StreamRoom(database, {})
    windows, learning = WindowRoom(database, {}, _no_coins), LearningRoom(database)
    reports = ReportRoom(database, {}, frozenset({"expert"}))
    try:
        duty = stream.take_duty("windows", "benchmark", 600)
        assert duty is not None
        works: dict[str, Callable[[], object]] = {
            "learner: news": learning.news,
            "learner: prospects": learning.prospects,
            "learner: training_rows(50,000)": lambda: learning.training_rows(50_000, {"expert"}),
            "learner: standings of 50,000": lambda: learning.standings([f"item-{n}" for n in range(50_000)]),
            "learner: look_again": lambda: learning.look_again("bundle", 20_000),
            "learner: look_again, all waiting": lambda: learning.look_again("bundle", 20_000),
            "worker: 256 rechecks of a pass": lambda: stream.work_rechecks(256, _as_they_are),
            "worker: windows ready": windows.ready,
            "worker: top_up_gold": lambda: windows.top_up_gold(duty, 10),
            "worker: ledger": windows.ledger,
            "worker: look_elsewhere": lambda: stream.look_elsewhere("crowd"),
            "worker: spent_tiers": lambda: stream.spent_tiers({"crowd": 50_000}),
            "status: overview": reports.overview,
            "status: recent_labels": lambda: reports.recent_labels(50),
        }
        for what, work in works.items():
            once = what.startswith(("learner: look", "worker: look"))
            yield Timed(what, [_timed(work) for _ in range(1 if once else TIMES)])
    finally:
        database.close()


def _as_they_are(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
    """Everybody still asks the same."""
    n = len(found)
    decision = Decision(
        posterior=np.full((n, len(CLASSES)), 1 / len(CLASSES), np.float32),
        labels=np.zeros((n, 1), np.int8),
        scores=np.full(n, 1 / len(CLASSES), np.float32),
        classifier=None,
        bundle=None,
        states=[ItemState.ASKING] * n,
        publish=np.zeros(n, np.bool_),
        status=[LabelStatus.PROVISIONAL] * n,
        withdraw=np.zeros(n, np.bool_),
        reprices=[Reprice(row, float(row)) for row in range(n)],
    )
    return decision, lambda _: []


def _no_coins(*_: object) -> Any:
    raise AssertionError("no window freezes here")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _good(reply: httpx.Response) -> None:
    if reply.status_code >= 400:
        raise RuntimeError(f"{reply.url}: status {reply.status_code}: {reply.text[:300]}")
