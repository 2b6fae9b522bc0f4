"""A Mechanical Turk on loopback, with a requester's keys set and workers that answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from daemon.adapters.outside.mturk.answers import FIELD, FORM
from daemon.adapters.outside.mturk.client import MturkClient
from daemon.adapters.outside.mturk.fake import FakeMturk, Hit
from daemon.adapters.outside.mturk.fake_server import FakeMturkServer, serving
from daemon.adapters.outside.mturk.page import Page
from daemon.adapters.outside.mturk.queue import MturkQueue
from daemon.adapters.outside.mturk.settings import HitSettings, MturkSettings
from labeling_functions.task import Task

TASK = Task("mail", ("ham", "spam"))
WORK = HitSettings(
    reward=0.05, title="Is it spam?", description="Read a message and say.", keywords=("text",)
)
START = 1_800_000_000.0
HOUR = 3_600
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDFAKE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@dataclass
class Clock:
    """Time of the Mechanical Turk in memory, and of the adapter."""

    seconds: float = START

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        """As a moment."""
        return datetime.fromtimestamp(self.seconds, UTC)


@dataclass
class Turk:
    """The account, its server, and what a test does with them."""

    server: FakeMturkServer
    clock: Clock
    clients: list[MturkClient] = field(default_factory=list)

    @property
    def mturk(self) -> FakeMturk:
        """The account."""
        return self.server.mturk

    def client(self, attempts: int = 1) -> MturkClient:
        """As the requester."""
        self.clients.append(MturkClient(MturkSettings(endpoint=self.server.url, timeout_seconds=5), attempts))
        return self.clients[-1]

    def queue(
        self,
        task: Task = TASK,
        suggest: bool = False,
        name: str = "Paused: mail / crowd (0)",
        work: HitSettings = WORK,
        lease_seconds: int = HOUR,
    ) -> MturkQueue:
        """As a process that starts makes it."""
        page = Page(task, work.title, f"{self.server.url}/mturk/externalSubmit", suggest)
        return MturkQueue(self.client(), task, name, work, lease_seconds, page, self.clock.now)

    def hit(self, question: int) -> Hit:
        """The newest HIT of a question."""
        mark = f"labelloop {question}"
        return [one for one in self.mturk.hits.values() if one.asked["RequesterAnnotation"] == mark][-1]

    @property
    def offered(self) -> list[int]:
        """Questions whose HITs somebody can accept, one entry a HIT."""
        with self.server.lock:
            hits = [one for one in self.mturk.hits.values() if self.mturk.status(one) == "Assignable"]
        return sorted(int(one.asked["RequesterAnnotation"].split()[1]) for one in hits)

    def answer(self, question: int, label: int = 1, who: str = "A1ANN", task: Task = TASK) -> str:
        """A worker accepts and hands in; id of the assignment."""
        assignment = self.mturk.accept(self.hit(question).id, who)
        self.clock.seconds += 7
        self.mturk.submit(assignment, form(task, label))
        return assignment


def form(task: Task, label: int) -> list[tuple[str, str]]:
    """Fields that our page sends for a label."""
    names = [(place, task.classes[place]) for place in task.space.members(label)]
    several = task.space.sets
    return [(FORM, "labelloop"), *((f"{FIELD}.{place}" if several else FIELD, name) for place, name in names)]


@pytest.fixture
def turk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turk]:
    """With keys in the environment."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    clock = Clock()
    with serving(FakeMturk(clock=clock)) as server:
        made = Turk(server, clock)
        yield made
        for client in made.clients:
            client.close()
