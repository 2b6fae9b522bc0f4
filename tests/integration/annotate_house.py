"""`labelloop annotate` as processes of their own, against a scripted endpoint."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rows_for_tests import add_items, add_question, all_rows

from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, budgets, calls, questions
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import price
from labeling_functions.llm.scripted_server import ScriptedServer

WAIT_SECONDS = 100.0

CONFIG = """
task: {{name: mail, classes: [ham, spam], guidelines: Spam is what nobody asked for.}}
tiers:
  llm: {{backend: llm, price: 0.01, lease_seconds: 10, {tier}}}
  expert: {{final: true}}
endpoints:
  scripted: {{base_url: "{url}", price_in: {price_in}, price_out: 0.5, timeout_seconds: {timeout}}}
llm:
  llm: {{endpoint: scripted, model: scripted, confidence: none}}
database: {{url: "{database}"}}
encoder: null
mlflow: {{{mlflow}}}
"""


class House:
    """A configuration, its database, and the processes that work on it."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        server: ScriptedServer,
        tier: str = "",
        price_in: float = 0.01,
        timeout: float = 5.0,
        mlflow: str = "",
    ) -> None:
        self.database = database
        self.server = server
        self.endpoint = EndpointSettings(base_url=server.base_url, price_in=price_in, price_out=0.5)
        self.file = folder / "labelloop.yaml"
        self._logs = folder
        self._numbers = itertools.count()
        self._started: list[subprocess.Popen[bytes]] = []
        self._log_of: dict[int, Path] = {}
        address = database.url.render_as_string(hide_password=False)
        self.file.write_text(
            CONFIG.format(
                tier=tier,
                url=server.base_url,
                price_in=price_in,
                timeout=timeout,
                database=address,
                mlflow=mlflow,
            )
        )

    def ask(self, count: int, first: int = 0) -> None:
        """Questions of the tier about so many new items."""
        for number in range(first, first + count):
            text = f'{{"id": "i{number}", "text": "message number {number} of many"}}'.encode()
            add_items(self.database, [f"i{number}"], payload=text)
            add_question(self.database, f"i{number}", "llm")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """One more process that answers."""
        command = [
            sys.executable,
            "-P",
            "-m",
            "daemon.cli",
            "annotate",
            "llm",
            "-c",
            str(self.file),
            *options,
        ]
        file = self._logs / f"annotate-{next(self._numbers)}.log"
        with file.open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "PYTHONWARNINGS": ""}
            )
        self._started.append(process)
        self._log_of[process.pid] = file
        return process

    def has_tried(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it has logged anything: a call made, or one that was refused."""
        return self._log_of[process.pid].stat().st_size > 0

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something; fails if it takes too long, or a process ends by itself."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not done():
            assert time.monotonic() < deadline, self._told()
            assert all(process.poll() in (None, -signal.SIGKILL) for process in self._started), self._told()
            time.sleep(0.05)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM, after which it ends well."""
        process.terminate()
        assert process.wait(WAIT_SECONDS) == 0, self._told()
        self._started.remove(process)

    def kill_all(self) -> None:
        """Whatever still lives."""
        for process in self._started:
            process.kill()
            process.wait()

    @property
    def billed(self) -> int:
        """What the endpoint would charge, in micro-units, by its own count."""
        bill = self.server.bill
        return price(bill.tokens_in, bill.tokens_out, self.endpoint)

    @property
    def booked(self) -> int:
        """Reserved and spent of the tier."""
        return sum(
            row.reserved + row.spent for row in all_rows(self.database, budgets, budgets.c.tier == "llm")
        )

    def was_refused(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether this process has rested because a budget did not reach for one more call."""
        return "does not reach for one more call" in self.log_of(process)

    def states(self) -> dict[str, int]:
        """Questions by state."""
        found = [row.state for row in all_rows(self.database, questions)]
        return {state: found.count(state) for state in sorted(set(found))}

    def answered(self) -> Sequence[str]:
        """Items with an answer."""
        return [row.item for row in all_rows(self.database, answers)]

    def lines(self) -> dict[str, int]:
        """Ledger lines by state."""
        found = [row.state for row in all_rows(self.database, calls)]
        return {state: found.count(state) for state in sorted(set(found))}

    def log_of(self, process: subprocess.Popen[bytes]) -> str:
        """What a process has logged."""
        return self._log_of[process.pid].read_text()

    def _told(self) -> str:
        logs = sorted(self._logs.glob("annotate-*.log"))
        return f"{self.states()} {self.lines()}\n" + "\n".join(log.read_text()[-2_000:] for log in logs)


@contextmanager
def house_of(folder: Path, database: Database, server: ScriptedServer, **settings: object) -> Iterator[House]:
    """A house whose processes are gone at the end."""
    house = House(folder, database, server, **settings)  # type: ignore[arg-type]
    try:
        yield house
    finally:
        house.kill_all()
