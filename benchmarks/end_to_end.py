"""The whole stream through real Kafka and PostgreSQL, beside a consumer that calls snorkel for each batch.

    python -m benchmarks.end_to_end postgresql://user:password@host/empty_database

With `--encoder` the encoder is on, and the stream is held beside what the encoder reaches alone, before and
after it: a machine that others share is not as fast at all times.

Needs `LABELLOOP_KAFKA_HOME` and an empty PostgreSQL database. The models are trained first, on answers of an
expert; then the worker is stopped, so many items are written, and it is started again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import yaml
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from benchmarks.end_to_end_world import CLASSES, FUNCTIONS, GOLD, TEXTS, configuration, produce
from daemon.adapters.broker.apache import ApacheKafka
from daemon.adapters.broker.process import RunningBroker
from daemon.adapters.starting import free_port
from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom

ITEMS, ENCODED_ITEMS = 200_000, 10_000
ENCODER = "all-MiniLM-L6-v2"
FIRST = 2_000
"""Items that the models are trained on."""
WAIT_SECONDS = 900.0
NAIVE_ITEMS = 30_000
LOOK_SECONDS = 0.2
REPORTED_SECONDS = 6
"""By then a worker has told what it did."""


def main() -> None:
    """Measure and print; nothing without Kafka and a database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", help="address of an empty PostgreSQL database")
    parser.add_argument("--items", type=int, help="200,000; with the encoder 10,000")
    parser.add_argument("--batch", type=int, default=1_024, help="stream.batch_items")
    parser.add_argument("--texts", choices=TEXTS, default="clear", help="what the stream brings")
    parser.add_argument("--workers", type=int, default=1, help="processes of labelloop run")
    parser.add_argument("--encoder", action="store_true", help="beside the encoder alone, not snorkel")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="encoding.processes")
    given = parser.parse_args()
    if (home := kafka_home(given.database)) is None:
        return
    with tempfile.TemporaryDirectory() as folder, kafka_for(home, Path(folder)) as bootstrap:
        run = Run(Path(folder), bootstrap, given.database)
        encoder = ENCODER if given.encoder else None
        run.write(configuration(bootstrap, given.database, given.batch, encoder, given.processes))
        count = given.items or (ENCODED_ITEMS if given.encoder else ITEMS)
        run.train(given.texts)
        alone = [run.encoder_alone(count, given.texts)] if given.encoder else []
        produce(bootstrap, count, 2, given.texts)
        ours = run.measure(count, given.workers)
        if given.encoder:
            alone.append(run.encoder_alone(count, given.texts))
            print("the encoder alone, before and after:", ", ".join(f"{rate:,.0f}/s" for rate in alone))
            peer = Peer("the encoder alone", sum(alone) / len(alone))
        else:
            naive = float(run.module("benchmarks.naive_consumer", bootstrap, str(NAIVE_ITEMS)))
            peer = Peer("consumer that calls snorkel", naive)
    _print(ours, peer, count)


class Peer(NamedTuple):
    """What the stream is held beside, and the items a second that it took."""

    name: str
    rate: float


def kafka_home(database: str | None) -> Path | None:
    """Where Apache Kafka lies; None, and a line that says so, unless it and a database are given."""
    home = os.environ.get("LABELLOOP_KAFKA_HOME")
    if database is None or home is None:
        print("left out: it needs LABELLOOP_KAFKA_HOME, and an empty PostgreSQL database on its command line")
        return None
    return Path(home)


@contextmanager
def kafka_for(home: Path, folder: Path) -> Iterator[str]:
    """An Apache Kafka while this is entered; where it is reached."""
    kafka = ApacheKafka(home, folder / "kafka", free_port())
    broker = RunningBroker(kafka, folder / "broker.log")
    try:
        yield kafka.bootstrap
    finally:
        broker.stop()


class Run:
    """The program in a folder of its own, and looks at its database past it."""

    def __init__(self, folder: Path, bootstrap: str, url: str) -> None:
        self.folder = folder
        self.bootstrap = bootstrap
        self.url = url
        self.engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        self.running: list[subprocess.Popen[bytes]] = []

    def write(self, config: dict[str, Any], functions: str = FUNCTIONS) -> None:
        """Configuration and functions."""
        (self.folder / "labelloop.yaml").write_text(yaml.safe_dump(config))
        (self.folder / "my_functions.py").write_text(functions)

    def train(self, texts: str = "clear") -> None:
        """Answer the questions of the cold start, and train on them."""
        worker = self.start("run")
        try:
            self.wait(lambda: self.number("SELECT count(*) FROM positions") > 0, "topics")
            produce(self.bootstrap, FIRST, 1, texts)
            self.wait(lambda: self.number("SELECT count(*) FROM items") == FIRST, "first items")
            self.wait(self._answer_all, "questions of the cold start")
        finally:
            self.end(worker)
        self.module("daemon.cli", "learn", "--once", "-c", str(self.folder / "labelloop.yaml"))

    def measure(self, count: int, workers: int) -> dict[str, Any]:
        """Start workers and see them through: rates, seconds by stage, memory."""
        running = [self.start("run") for _ in range(workers)]
        looked = [psutil.Process(worker.pid) for worker in running]
        stored, waiting = "SELECT sum(stored) FROM positions", "SELECT count(*) FROM outbox"
        try:
            self.wait(lambda: self.number(stored) > FIRST, "the first batch")
            began, first, memory = time.perf_counter(), self.number(stored), []
            before = _cpu_seconds(looked)
            while (now := self.number(stored)) < count + FIRST:
                memory.append((now, sum(one.memory_info().rss for one in looked)))
                time.sleep(LOOK_SECONDS)
                self._see_that_all_live()
            stored_after = time.perf_counter() - began
            cpu = _cpu_seconds(looked) - before
            self.wait(lambda: self.number(waiting) == 0, "the outbox to be empty")
            published_after = time.perf_counter() - began
            time.sleep(REPORTED_SECONDS)
            return {
                "stored": (count + FIRST - first) / stored_after,
                "published": (count + FIRST - first) / published_after,
                "cpu": cpu,
                "seconds": stored_after,
                "asked": self.number("SELECT count(DISTINCT item) FROM questions") / (count + FIRST),
                "stages": self._stages([worker.pid for worker in running]),
                "memory": memory,
            }
        finally:
            self.end(*running)

    def encoder_alone(self, count: int, texts: str) -> float:
        """Texts a second of the encoder as it is configured, on the texts that the stream had."""
        config = str(self.folder / "labelloop.yaml")
        return float(self.module("benchmarks.encoder_alone", config, str(count), texts).split()[-1])

    def _stages(self, pids: Sequence[int]) -> dict[str, float]:
        """Seconds of each stage, added up over these processes."""
        told: Counter[str] = Counter()
        for name, report in self.rows("SELECT name, report FROM processes WHERE kind = 'run'"):
            if any(name.endswith(f"-{pid}") for pid in pids):
                told.update(json.loads(report)["seconds"])
        return dict(told)

    def module(self, name: str, *arguments: str) -> str:
        """Run a module to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", name, *arguments],
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _answer_all(self) -> bool:
        database = Database(self.url)
        try:
            room = QuestionRoom(database)
            expert = room.enroll("expert", "expert").id
            while leases := room.lease(expert, "expert", 50, 60):
                for lease in leases:
                    said = json.loads(lease.payload)["metadata"]["truth"]
                    room.answer(lease.question, expert, CLASSES.index(said), 1.0)
        finally:
            database.close()
        return self.number("SELECT count(*) FROM answers") >= GOLD

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a process of the program, which must live until `end`."""
        with (self.folder / f"{command}.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "daemon.cli", command, "-c", str(self.folder / "labelloop.yaml")],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.running.append(process)
        return process

    def end(self, *processes: subprocess.Popen[bytes]) -> None:
        """Ask them all to end, and wait until they have."""
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
            self.running.remove(process)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Until this holds; raises with the end of the log when it does not in time, or a process ended."""
        until = time.monotonic() + WAIT_SECONDS
        while not condition():
            self._see_that_all_live()
            if time.monotonic() > until:
                raise RuntimeError(f"{what} did not come:\n{self._log()}")
            time.sleep(0.1)

    def number(self, sql: str) -> int:
        """What the first column of the first row says; 0 while there is none."""
        return int(self.value(sql) or 0)

    def value(self, sql: str) -> Any:
        """The same as it is; None while there is none, or no such table."""
        return next((row[0] for row in self.rows(sql)), None)

    def rows(self, sql: str) -> list[Any]:
        """Ask the database; nothing while there is no such table."""
        try:
            with self.engine.connect() as connection:
                return list(connection.execute(text(sql)))
        except ProgrammingError:
            return []

    def _see_that_all_live(self) -> None:
        if any(process.poll() is not None for process in self.running):
            raise RuntimeError(f"a process ended:\n{self._log()}")

    def _log(self) -> str:
        return (self.folder / "run.log").read_text(errors="replace")[-3_000:]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LABELLOOP_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(used.user + used.system for used in (one.cpu_times() for one in processes))


def _print(ours: dict[str, Any], peer: Peer, count: int) -> None:
    table = Table(f"{count:,} texts, ten functions", "items/s", f"times {peer.name}")
    table.add_row(peer.name, f"{peer.rate:,.0f}", "1.00")
    for what in ("stored", "published"):
        table.add_row(f"labelloop run, {what}", f"{ours[what]:,.0f}", f"{ours[what] / peer.rate:.2f}")
    Console().print(table)
    stages = Table("stage", "seconds", "share of the time", "us an item")
    for name, seconds in ours["stages"].items():
        share = seconds / ours["seconds"]
        stages.add_row(name, f"{seconds:.1f}", f"{share:.0%}", f"{seconds / count * 1e6:.1f}")
    stages.add_row("(the workers' own CPU)", f"{ours['cpu']:.1f}", f"{ours['cpu'] / ours['seconds']:.0%}", "")
    Console().print(stages)
    print(f"questions are asked about {ours['asked']:.1%} of the items")
    print(
        "memory:",
        ", ".join(
            f"{n:,}: {rss / 1e6:.0f} MB" for n, rss in ours["memory"][:: max(1, len(ours["memory"]) // 10)]
        ),
    )


if __name__ == "__main__":
    main()
