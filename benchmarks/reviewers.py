"""Forty reviewers at four review processes: each slot is filled once, whoever crashes, sleeps or clicks.

    python -m benchmarks.reviewers postgresql://user:password@host/empty_database --items 3334
    python -m benchmarks.reviewers postgresql://user:password@host/empty_database --open 100000

The database must be empty; each item is asked three times. One process is killed when half of the
work is done, and started again. With `--open` so many questions are there instead: ten people answer for two
minutes, a browser does 100 items, each page and each piece of work that may follow their number is timed.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import yaml

from benchmarks import reviewers_open
from benchmarks.reviewers_play import Seen, people
from benchmarks.reviewers_world import OVERLAP, Outcome, configuration, outcome, seed, waiting
from daemon.adapters.starting import free_port
from daemon.adapters.store.engine import Database

PROCESSES = 4
FORTY = {"steady": 27, "slow": 4, "crashing": 5, "clicking": 4}
START_SECONDS = 90
LOOK_SECONDS = 1.0
OPEN_SECONDS = 120.0
"""That people answer beside many open questions."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it.

    Attributes:
        seen: by the reviewers. outcome: in the database. seconds: from the first call to the last answer.
        finished: False if time ran out before the queue was empty.
    """

    seen: Seen
    outcome: Outcome
    seconds: float
    finished: bool


@dataclass
class Servers:
    """Processes of `labelloop review`, each on a port of its own."""

    folder: Path
    config: Mapping[str, Any]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def __enter__(self) -> "Servers":
        (self.folder / "labelloop.yaml").write_text(yaml.safe_dump(dict(self.config)))
        self.ports = [free_port() for _ in range(PROCESSES)]
        self.running = [self._start(port) for port in self.ports]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    @property
    def addresses(self) -> list[str]:
        """Where they listen."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def wait(self) -> None:
        """Until all of them answer."""
        deadline = time.monotonic() + START_SECONDS
        for address in self.addresses:
            while not _answers(address):
                if time.monotonic() > deadline or self._has_ended():
                    raise RuntimeError(f"{address} does not answer:\n{self.logs()}")
                time.sleep(0.2)
        if self._has_ended():  # somebody else answered at its address
            raise RuntimeError(f"a review process has ended:\n{self.logs()}")

    def restart_first(self) -> None:
        """Kill one in the middle of whatever it does, and start it again."""
        self.running[0].kill()
        self.running[0].wait()
        self.running[0] = self._start(self.ports[0])

    def _has_ended(self) -> bool:
        return any(process.poll() is not None for process in self.running)

    def logs(self) -> str:
        """What they wrote."""
        return "\n".join(path.read_text(errors="replace")[-3_000:] for path in self.folder.glob("*.log"))

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LABELLOOP_")}
        command = [
            sys.executable,
            "-m",
            "daemon.cli",
            "-q",
            "review",
            "-c",
            str(self.folder / "labelloop.yaml"),
        ]
        with (self.folder / f"review-{port}.log").open("ab") as output:
            return subprocess.Popen(
                command,
                env={**kept, "LABELLOOP_REVIEW__PORT": str(port), "OMP_NUM_THREADS": "1"},
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


def play(
    url: str,
    folder: Path,
    n_items: int,
    seconds: float,
    counts: Mapping[str, int] = FORTY,
    draw: int = 1,
    slower: float = 1.0,
) -> Played:
    """Seed the empty, migrated database, and have it answered.

    Args:
        folder: for configuration and logs. n_items: each asked `OVERLAP` times.
        seconds: after which it ends in any case. counts: habit -> people. draw: of their chance.
        slower: times that everybody thinks longer, and leases last longer.
    """
    seed(url, n_items)
    with Servers(folder, configuration(url, slower)) as servers:
        servers.wait()
        began = time.monotonic()
        seen = asyncio.run(_play(url, servers, OVERLAP * n_items, counts, seconds, draw, slower))
        took = time.monotonic() - began
    found = outcome(url)
    return Played(seen, found, took, found.empty == 0)


async def _play(
    url: str,
    servers: Servers,
    n_slots: int,
    counts: Mapping[str, int],
    seconds: float,
    draw: int,
    slower: float,
) -> Seen:
    seen = Seen()
    everybody = people(dict(counts), servers.addresses, seen, draw, slower)
    working = [asyncio.create_task(one.work()) for one in everybody]
    watching = asyncio.create_task(_watch(url, servers, n_slots, seen))
    try:
        await asyncio.wait_for(asyncio.gather(*working, watching), seconds)
    except TimeoutError:
        seen.counts["out of time"] += 1
    return seen


async def _watch(url: str, servers: Servers, n_slots: int, seen: Seen) -> None:
    """Kill a process at half time; tell everybody when the last slot is filled."""
    killed = False
    while (left := await asyncio.to_thread(waiting, url)) > 0:
        if not killed and left < n_slots / 2:
            killed = True
            await asyncio.to_thread(servers.restart_first)
        await asyncio.sleep(LOOK_SECONDS)
    seen.stop.set()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def lines(played: Played) -> list[str]:
    """What is told of it."""
    found, seen = played.outcome, played.seen
    told = [
        f"slots filled {found.answered:,} and left {found.empty:,} in {played.seconds:.0f} s",
        f"control questions answered {found.controls:,}",
        f"paused: {', '.join(sorted(seen.paused)) or 'nobody'}",
        f"double leases {len(seen.doubles)}; slots with other than one answer {found.twice}",
        f"items answered twice by one person {found.again}; answers not paid exactly once {found.unpaid}",
        f"micro-units that the budget is off {found.off}, and reserves {found.reserved}",
        f"majority right {found.right:.4f}",
        "; ".join(f"{what} {count:,}" for what, count in sorted(seen.counts.items())),
    ]
    return [*told, *(_waits(call, seconds) for call, seconds in sorted(seen.seconds.items()))]


def _waits(call: str, seconds: Sequence[float]) -> str:
    median, p99 = (float(value) * 1000 for value in np.percentile(seconds, [50, 99]))
    most = max(seconds) * 1000
    return f"{call:10} {len(seconds):>8,} calls: median {median:.1f} ms, p99 {p99:.1f} ms, most {most:.0f} ms"


def _print_beside_open(url: str, n_open: int, seconds: float) -> None:
    """Ten people, a browser and every page beside so many open questions; then what the processes do."""
    reviewers_open.fill(url, n_open)
    print(f"{waiting(url):,} slots are open", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Servers(Path(folder), reviewers_open.unpaused(configuration(url, reviewers_open.SLOWER))) as servers,
    ):
        servers.wait()
        seen = reviewers_open.calls(servers.addresses, seconds)
        print("\n".join(_waits(call, each) for call, each in sorted(seen.seconds.items())), flush=True)
        print(_waits("key to item", reviewers_open.page(servers.addresses[0])), flush=True)
        for timed in reviewers_open.pages(servers.addresses[0]):
            print(timed.line, flush=True)
    for timed in reviewers_open.beside(url):
        print(timed.line, flush=True)


def main() -> None:
    """Play and print; nothing without a database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", help="address of an empty PostgreSQL database")
    parser.add_argument("--items", type=int, default=3_334)
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--slower", type=float, default=1.0, help="times that everybody thinks longer")
    parser.add_argument("--open", type=int, default=0, help="measure beside so many open questions instead")
    given = parser.parse_args()
    if given.database is None:
        print("left out: it needs an empty PostgreSQL database, named on its command line")
        return
    database = Database(given.database)
    database.migrate()
    database.close()
    if given.open:
        _print_beside_open(given.database, given.open, min(given.seconds, OPEN_SECONDS))
        return
    with tempfile.TemporaryDirectory() as folder:
        played = play(given.database, Path(folder), given.items, given.seconds, slower=given.slower)
    print("\n".join(lines(played)))


if __name__ == "__main__":
    main()
