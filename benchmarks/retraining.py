"""What a training costs as the store grows, and what the stream loses while one runs after the other.

    python -m benchmarks.retraining postgresql://user:password@host/empty_database

Two parts, `--parts cost stream`. `cost` fills the database with ever more items (1 % answered by experts at
random, 2 % by three people of a crowd, 10 % by a language model) and runs `labelloop learn --once` on each
size: the processor seconds of the learner and its child, those of the database for it, and the most memory
that both took together. `stream` (needs `LABELLOOP_KAFKA_HOME`) has a worker label what was written before
and lets a learner that trains without pause run and stand still by turns, so that the machine's drift weighs
on both sides alike. The database is emptied between the parts.
"""

import argparse
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, create_engine, text

from benchmarks.end_to_end import Run, kafka_for
from benchmarks.end_to_end_world import configuration, produce
from benchmarks.retraining_store import fill
from daemon.adapters.store.engine import Database

SIZES = (2_048, 8_192, 32_768, 131_072, 524_288)
PARTS = ("cost", "stream")
VECTORS = ("without", "with")
LOOK_SECONDS = 0.05
NO_BROKER = "127.0.0.1:1"
SETTLED = 60_000
"""Items that are stored before the first window: more than a training looks at."""
AHEAD = 1.2
"""Another pair of windows is begun while so many times what the last one took are left."""

_SERVERS = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'labelloop' AND datname = current_database()
"""


def main() -> None:
    """Measure and print; nothing without a database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", help="address of an empty PostgreSQL database")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES, help="items in the store")
    parser.add_argument("--vectors", nargs="*", choices=VECTORS, default=VECTORS, help="of stored items")
    parser.add_argument("--max-items", type=int, default=50_000, help="learning.max_items")
    parser.add_argument("--items", type=int, default=600_000, help="of the stream")
    parser.add_argument("--batch", type=int, default=4_096, help="stream.batch_items")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each window")
    parser.add_argument("--promote", action="store_true", help="workers follow each candidate")
    given = parser.parse_args()
    if given.database is None or not _is_empty(given.database):
        print("left out: it needs an empty PostgreSQL database on its command line")
        return
    if "cost" in given.parts:
        for vectors in given.vectors:
            _print_costs(given.database, sorted(given.sizes), given.max_items, vectors)
    if "stream" in given.parts:
        _print_stream(given)
    _clear(given.database)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one training: seconds by the clock, of processors by the learner and by the database, bytes."""

    items: int
    seconds: float
    cpu: float
    database: float
    memory: int


def _print_costs(url: str, sizes: Sequence[int], max_items: int, vectors: str) -> None:
    costs = []
    for cost in _costs(url, sizes, max_items, vectors == "with"):
        costs.append(cost)
        print(cost, flush=True)
    title = f"{vectors} vectors, learning.max_items {max_items:,}"
    table = Table("items stored", "seconds", "CPU, learner", "CPU, database", "most memory", title=title)
    for cost in costs:
        memory = f"{cost.memory / 1e6:,.0f} MB"
        figures = (f"{value:.1f}" for value in (cost.seconds, cost.cpu, cost.database))
        table.add_row(f"{cost.items:,}", *figures, memory)
    Console().print(table)
    ours, allowed = _exponent(costs), _exponent_of_n_log_n(sizes)
    print(f"CPU grows as n to the {ours:.2f}, n log n here as {allowed:.2f}")


def _costs(url: str, sizes: Sequence[int], max_items: int, with_vectors: bool) -> Iterator[Cost]:
    _clear(url)
    database = Database(url)
    database.migrate()
    database.close()
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(NO_BROKER, url, 1_024)
        config["functions"]["modules"] = []
        config["learning"] = {"max_items": max_items}
        (Path(folder) / "labelloop.yaml").write_text(yaml.safe_dump(config))
        filled = 0
        for size in sizes:
            fill(url, filled, size, with_vectors)
            filled = size
            with _connected(url, isolation_level="AUTOCOMMIT") as engine, engine.connect() as connection:
                connection.execute(text("VACUUM ANALYZE"))
            yield _trained(url, Path(folder), size)


def _trained(url: str, folder: Path, size: int) -> Cost:
    """One `labelloop learn --once`, watched."""
    command = [
        sys.executable,
        "-m",
        "daemon.cli",
        "-q",
        "learn",
        "--once",
        "-c",
        str(folder / "labelloop.yaml"),
    ]
    began = time.perf_counter()
    with (folder / "learn.log").open("wb") as output, _connected(url) as engine:
        process = subprocess.Popen(command, env=_environment(), stdout=output, stderr=subprocess.STDOUT)
        looked, most, servers = psutil.Process(process.pid), 0, dict[int, float]()
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            most = max(most, _memory(looked))
            servers |= _server_seconds(engine)
            time.sleep(LOOK_SECONDS)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
    if process.returncode:
        raise RuntimeError(f"learn failed:\n{(folder / 'learn.log').read_text()}")
    cpu = ended[2].ru_utime + ended[2].ru_stime
    return Cost(size, time.perf_counter() - began, cpu, sum(servers.values()), most)


def _memory(process: psutil.Process) -> int:
    """Bytes of a process and its children; what they share counts once."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_full_info().pss
    except psutil.Error:  # it has just ended
        return total
    return total


def _server_seconds(engine: Engine) -> dict[int, float]:
    """Process id -> processor seconds of the program's connections, where the server runs on this machine."""
    found = {}
    with engine.connect() as connection:
        pids = [int(row.pid) for row in connection.execute(text(_SERVERS))]
    for pid in pids:
        try:
            used = psutil.Process(pid).cpu_times()
        except psutil.Error:
            continue
        found[pid] = used.user + used.system
    return found


def _exponent(costs: Sequence[Cost]) -> float:
    """Slope of log CPU over log n, what the smallest training costs in any case left out."""
    least = costs[0].cpu + costs[0].database
    grown = [(cost.items, cost.cpu + cost.database - least) for cost in costs[1:]]
    shown = [(math.log(n), math.log(seconds)) for n, seconds in grown if seconds > 0]
    if len(shown) < 2:
        return float("nan")
    return _slope(shown)


def _exponent_of_n_log_n(sizes: Sequence[int]) -> float:
    logs = [math.log(n) for n in sizes[1:]]
    return _slope([(log, log + math.log(log)) for log in logs]) if len(logs) > 1 else math.nan


def _slope(points: Sequence[tuple[float, float]]) -> float:
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])


def _print_stream(given: argparse.Namespace) -> None:
    home = os.environ.get("LABELLOOP_KAFKA_HOME")
    if home is None:
        print("stream left out: it needs LABELLOOP_KAFKA_HOME")
        return
    _clear(given.database)
    with tempfile.TemporaryDirectory() as folder, kafka_for(Path(home), Path(folder)) as bootstrap:
        run = Run(Path(folder), bootstrap, given.database)
        run.write(configuration(bootstrap, given.database, given.batch))
        run.train()
        alone, beside, trainings = Windows(run, given.seconds, given.items, given.promote).measure()
    table = Table("stream", "items/s", "times alone", title=f"{len(beside)} windows each")
    table.add_row("alone", f"{_rate(alone):,.0f}", "1.00")
    table.add_row(
        f"beside a learner ({trainings} trainings{', each promoted' if given.promote else ''})",
        f"{_rate(beside):,.0f}",
        f"{_rate(beside) / _rate(alone):.2f}",
    )
    Console().print(table)
    ratios = sorted(with_.rate / without.rate for with_, without in zip(beside, alone, strict=False))
    print("pairs of windows, times alone:", ", ".join(f"{ratio:.2f}" for ratio in ratios))
    print(f"median {statistics.median(ratios):.2f}")
    seconds = sum(one.seconds for one in beside)
    used = {name: sum(one.cpu[name] for one in beside) / seconds for name in beside[0].cpu}
    print("cores beside it:", ", ".join(f"{name} {cores:.2f}" for name, cores in used.items()))


@dataclass(frozen=True, slots=True)
class Window:
    """What was stored in some seconds, and processor seconds by who took them."""

    stored: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.stored / self.seconds


def _rate(windows: Sequence[Window]) -> float:
    return sum(one.stored for one in windows) / sum(one.seconds for one in windows)


class Windows:
    """One worker, and a learner that works in every second window."""

    def __init__(self, run: Run, seconds: float, items: int, promote: bool) -> None:
        self._run, self._seconds, self._items, self._promote = run, seconds, items, promote

    def measure(self) -> tuple[list[Window], list[Window], int]:
        """Windows alone and beside the learner, and how many trainings ended."""
        run = self._run
        self._label(SETTLED)
        with self._learner() as process:
            learner = process.pid
            before = self._trainings()
            run.wait(lambda: self._trainings() > before, "the first training")
            produce(run.bootstrap, self._items, 3)
            worker = run.start("run")
            try:
                measured = self._by_turns(worker.pid, learner)
            finally:
                run.end(worker)
            if process.poll() is not None:
                raise RuntimeError(f"the learner ended: {(run.folder / 'learn.log').read_text()[-2_000:]}")
            return measured

    def _label(self, count: int) -> None:
        """Have so many more items stored."""
        wanted = self._stored() + count
        produce(self._run.bootstrap, count, 2)
        worker = self._run.start("run")
        self._run.wait(lambda: self._stored() == wanted, "the first items")
        self._run.end(worker)

    def _by_turns(self, worker: int, learner: int) -> tuple[list[Window], list[Window], int]:
        alone: list[Window] = []
        beside: list[Window] = []
        begun, before = self._stored(), self._trainings()
        self._run.wait(lambda: self._stored() > begun, "the first batch")
        while begun + self._items - self._stored() > AHEAD * sum(
            one.stored for one in (*alone[-1:], *beside[-1:])
        ):
            os.killpg(learner, signal.SIGSTOP)
            alone.append(self._window(worker, learner))
            os.killpg(learner, signal.SIGCONT)
            beside.append(self._window(worker, learner))
        return alone, beside, self._trainings() - before

    def _window(self, worker: int, learner: int) -> Window:
        stored, began, cpu = self._stored(), time.perf_counter(), _cpu(worker, learner)
        time.sleep(self._seconds)
        after = _cpu(worker, learner)
        used = {name: after[name] - cpu[name] for name in cpu}
        return Window(self._stored() - stored, time.perf_counter() - began, used)

    def _stored(self) -> int:
        return self._run.number("SELECT sum(stored) FROM positions")

    def _trainings(self) -> int:
        return self._run.number("SELECT count(*) FROM bundles")

    @contextmanager
    def _learner(self) -> Iterator[subprocess.Popen[bytes]]:
        """A group of processes that trains without pause."""
        command = [
            sys.executable,
            "-m",
            "benchmarks.retraining_learner",
            str(self._run.folder / "labelloop.yaml"),
        ]
        with (self._run.folder / "learn.log").open("wb") as output:
            process = subprocess.Popen(
                [*command, *(["--promote"] if self._promote else [])],
                env=_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _cpu(worker: int, learner: int) -> dict[str, float]:
    """Processor seconds so far: of the worker, of the learner with its child, and of all there is."""
    trained = 0.0
    for process in psutil.process_iter(["pid"]):
        try:
            if os.getpgid(process.pid) == learner:
                trained += _seconds_of(process)
        except (ProcessLookupError, psutil.Error):
            continue
    times = psutil.cpu_times()
    busy = sum(times) - times.idle - times.iowait
    return {"worker": _seconds_of(psutil.Process(worker)), "learner": trained, "everything": busy}


def _seconds_of(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system + used.children_user + used.children_system)


@contextmanager
def _connected(url: str, **options: Any) -> Iterator[Engine]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), **options)
    try:
        yield engine
    finally:
        engine.dispose()


def _is_empty(url: str) -> bool:
    query = "SELECT NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public')"
    with _connected(url) as engine, engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())


def _clear(url: str) -> None:
    """Take out what an earlier part left in a database that was empty when this began."""
    with _connected(url) as engine, engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LABELLOOP_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
