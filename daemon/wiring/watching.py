"""What each process needs to be ready, and how its reports become metrics."""

import time
from collections.abc import Callable, Mapping

from daemon.adapters.store.engine import Database
from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.adapters.watching.server import served
from daemon.adapters.watching.settings import MetricsSettings
from daemon.core import metrics
from daemon.core.annotate import Annotator
from daemon.core.metrics import By, Meter
from daemon.core.outside_loop import OutsideLoop
from daemon.core.patience import RESTING
from daemon.core.ports import Source
from daemon.core.readiness import Readiness
from daemon.core.stream import StreamWorker
from daemon.core.vote_stream import VoteStream
from daemon.wiring import parts
from daemon.wiring.config import Config

Report = Callable[[Mapping[str, object]], None]

OUTCOMES = ("answered", "passed", "failed", "late", "refused", "repeated")
"""Counts in the reports of `annotate`, whatever backend its tier has."""


def of_worker(
    source: Source, worker: StreamWorker, desk: "Alive", database: Database, settings: MetricsSettings
) -> Readiness:
    """The stream worker is ready when it reads its partitions, saves what it reads, and its desk goes on."""
    return Readiness(
        {
            "kafka": lambda: reading(source),
            "batches": lambda: worker.progress.late(settings.stale_seconds),
            "desk": desk,
            "database": parts.answers(database),
        }
    )


def of_loop(alive: "Alive", database: Database) -> Readiness:
    """Any other loop is ready while it reports and the database answers."""
    return Readiness({"loop": alive, "database": parts.answers(database)})


def reading(source: Source) -> str:
    """What keeps a source from being read; empty if nothing does."""
    standing = source.standing()
    if not standing.reachable:
        return "Kafka does not answer"
    if not standing.joined:
        return "no partitions were assigned so far"
    if standing.waiting:
        return f"{standing.waiting} partitions wait for their stored positions"
    return ""


class Alive:
    """A loop that reports now and then, and is late if it does not."""

    def __init__(self, seconds: float, name: str = "the loop") -> None:
        self._seconds = seconds
        self._name = name
        self._at = time.monotonic()

    def heard(self) -> None:
        """It has just reported."""
        self._at = time.monotonic()

    def __call__(self) -> str:
        """What is missing."""
        silent = time.monotonic() - self._at
        return f"{self._name} has said nothing for {silent:.0f} s" if silent > self._seconds else ""


def run_watched(
    loop: Annotator | OutsideLoop | VoteStream, config: Config, database: Database, tier: str
) -> None:
    """Run a loop of `annotate`, count what it reports, and serve that meanwhile."""
    meter, alive = PrometheusMeter(By.ANNOTATE), Alive(config.metrics.stale_seconds)
    loop.report = MeteredReports(meter, tier, alive, loop.report)
    with served(config.metrics, meter, of_loop(alive, database)):
        loop.run()


class MeteredReports:
    """Takes the reports of a loop of `annotate`, counts what is new in them, and hands them on."""

    def __init__(self, meter: Meter, tier: str, alive: Alive, report: Report) -> None:
        self._meter = meter
        self._tier = tier
        self._alive = alive
        self._report = report
        self._told: dict[str, float] = {}

    def __call__(self, report: Mapping[str, object]) -> None:
        """One report; its counts are those since the process started."""
        self._alive.heard()
        for outcome in OUTCOMES:
            if outcome in report:
                grown = self._grown(outcome, report)
                self._meter.add(metrics.ANSWERED_QUESTIONS, grown, self._tier, outcome)
        if "spent" in report:
            self._meter.add(metrics.PAID, self._grown("spent", report), self._tier)
        asking = report.get("asking", report.get("shown"))
        if isinstance(asking, int):
            self._meter.set(metrics.ASKING, asking, self._tier)
        resting = str(report.get("doing", "")).startswith(RESTING)
        self._meter.set(metrics.RESTING, resting, self._tier)
        self._meter.set(metrics.LAST_TOLD, time.time(), self._tier)
        self._report(report)

    def _grown(self, name: str, report: Mapping[str, object]) -> float:
        now = report[name]
        assert isinstance(now, int | float)
        before = self._told.get(name, 0.0)
        self._told[name] = now
        return max(0.0, now - before)
