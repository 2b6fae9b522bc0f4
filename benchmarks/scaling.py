"""Workers of one consumer group side by side, each kept waiting by a function that asks something far away.

    python -m benchmarks.scaling postgresql://user:password@host/empty_database

Needs `LABELLOOP_KAFKA_HOME` and an empty PostgreSQL database. Ten patterns and one function that sleeps, as
one that asks a model elsewhere does, so that few processor cores do for many workers. The models are trained
first; then so many items are written that no worker ever waits for any, and each number of workers is started
in turn. Counted is what they store from when all of them are at work.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.end_to_end import Run, kafka_for, kafka_home
from benchmarks.end_to_end_world import FUNCTIONS, configuration, produce

PARTITIONS = 8
SLOW = """

import time
from labeling_functions import labeling_function


@labeling_function
def remote(x):
    time.sleep({seconds})
    return 1 if "prize" in x.text else -1
"""
AHEAD = 1.5
"""So many times what the workers could take at most is written beforehand,"""
SETTLE_SECONDS = 15.0
"""where each number of them needs about so long until all are at work."""
MOVED = 200
"""Items that each worker must have stored beside all others before the clock starts."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was done up to a moment.

    Attributes:
        at: seconds of a clock that only runs forwards. stored: items. waiting: rows of the outbox.
        work: process id -> items, as its last report said. stages: seconds of all workers by stage.
        cpu: seconds of processor time, of all workers. machine: the same, of everything that runs.
    """

    at: float
    stored: int
    waiting: int
    work: dict[int, int]
    stages: Counter[str]
    cpu: float
    machine: float


def main() -> None:
    """Measure and print; nothing without Kafka and a database."""
    given = _arguments()
    if (home := kafka_home(given.database)) is None:
        return
    with tempfile.TemporaryDirectory() as folder, kafka_for(home, Path(folder)) as bootstrap:
        fleet = Fleet(Path(folder), bootstrap, given.database)
        config = configuration(bootstrap, given.database, given.batch)
        config["kafka"]["partitions"] = PARTITIONS
        fleet.write(config, FUNCTIONS + SLOW.format(seconds=given.milliseconds / 1_000))
        fleet.train()
        most = 1_000 / given.milliseconds * sum(given.workers) * (given.seconds + SETTLE_SECONDS)
        produce(bootstrap, round(most * AHEAD), 2, partitions=PARTITIONS)
        measured = {count: fleet.measured(count, given.seconds) for count in given.workers}
    _print(measured, given.milliseconds)


class Fleet(Run):
    """Any number of workers on one database and topic."""

    def measured(self, count: int, seconds: float) -> tuple[Look, Look]:
        """Two looks, so many seconds apart, at so many workers of which each is at work."""
        workers = [self.start("run") for _ in range(count)]
        try:
            first = self._settled(workers)
            time.sleep(seconds)
            return first, self._look(workers)
        finally:
            self.end(*workers)

    def _settled(self, workers: Sequence["subprocess.Popen[bytes]"]) -> Look:
        def moved(since: dict[int, int]) -> bool:
            now = self._work(workers)
            return all(now[pid] >= before + MOVED for pid, before in since.items())

        nothing = {worker.pid: 0 for worker in workers}
        self.wait(lambda: moved(nothing), "work of each worker")
        together = self._work(workers)
        self.wait(lambda: moved(together), "work of all of them at once")
        return self._look(workers)

    def _look(self, workers: Sequence["subprocess.Popen[bytes]"]) -> Look:
        used = [psutil.Process(worker.pid).cpu_times() for worker in workers]
        whole = psutil.cpu_times()
        return Look(
            at=time.perf_counter(),
            stored=self.number("SELECT sum(stored) FROM positions"),
            waiting=self.number("SELECT count(*) FROM outbox"),
            work=self._work(workers),
            stages=sum((Counter(one["seconds"]) for one in self._reports(workers).values()), Counter()),
            cpu=sum(one.user + one.system for one in used),
            machine=sum(whole) - whole.idle - whole.iowait,
        )

    def _work(self, workers: Sequence["subprocess.Popen[bytes]"]) -> dict[int, int]:
        return {pid: report["items"] for pid, report in self._reports(workers).items()}

    def _reports(self, workers: Sequence["subprocess.Popen[bytes]"]) -> dict[int, dict]:
        nothing = {"items": 0, "seconds": {}}
        told = {name: json.loads(said) for name, said in self.rows("SELECT name, report FROM processes")}
        by_pid = {int(name.rpartition("-")[2]): report for name, report in told.items()}
        return {worker.pid: by_pid.get(worker.pid, nothing) for worker in workers}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", help="address of an empty PostgreSQL database")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="how many, in turn")
    parser.add_argument("--seconds", type=float, default=40.0, help="that each number of them is watched")
    parser.add_argument("--milliseconds", type=float, default=5.0, help="that the function sleeps an item")
    parser.add_argument("--batch", type=int, default=64, help="stream.batch_items")
    return parser.parse_args()


def _print(measured: dict[int, tuple[Look, Look]], milliseconds: float) -> None:
    table = Table("workers", "items/s", "times", "in functions", title=f"{milliseconds:g} ms an item")
    for name in ("us to save", "own cores", "all cores", "outbox"):
        table.add_column(name)
    baseline = _rate(*next(iter(measured.values())))
    for count, (first, last) in measured.items():
        seconds, spent = last.at - first.at, last.stages - first.stages
        table.add_row(
            str(count),
            f"{_rate(first, last):,.0f}",
            f"{_rate(first, last) / baseline:.2f}",
            f"{spent['functions'] / seconds / count:.0%}",
            f"{spent['save'] / (sum(last.work.values()) - sum(first.work.values())) * 1e6:,.0f}",
            f"{(last.cpu - first.cpu) / seconds:.2f}",
            f"{(last.machine - first.machine) / seconds:.2f}",
            f"{first.waiting}, {last.waiting}",
        )
    Console().print(table)


def _rate(first: Look, last: Look) -> float:
    return (last.stored - first.stored) / (last.at - first.at)


if __name__ == "__main__":
    main()
