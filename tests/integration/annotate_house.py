"""`labelloop annotate` as processes of their own, against a scripted endpoint."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from patience import PATIENCE
from program import Program
from rows_for_tests import add_items, add_question, all_rows

from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, budgets, calls, questions
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import price
from labeling_functions.llm.scripted_server import ScriptedServer

CONFIG = """
task: {{name: mail, classes: [ham, spam], guidelines: Spam is what nobody asked for.}}
tiers:
  llm: {{backend: llm, price: 0.01, lease_seconds: {lease}, {tier}}}
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
        settings = CONFIG.format(
            tier=tier,
            url=server.base_url,
            price_in=price_in,
            timeout=timeout * PATIENCE,
            lease=int(10 * PATIENCE),
            database=database.url.render_as_string(hide_password=False),
            mlflow=mlflow,
        )
        self.program = Program(folder, yaml.safe_load(settings))
        self.program.write()

    def ask(self, count: int, first: int = 0) -> None:
        """Questions of the tier about so many new items."""
        for number in range(first, first + count):
            text = f'{{"id": "i{number}", "text": "message number {number} of many"}}'.encode()
            add_items(self.database, [f"i{number}"], payload=text)
            add_question(self.database, f"i{number}", "llm")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """One more process that answers."""
        return self.program.start("annotate", "llm", *options, PYTHONWARNINGS="")

    def has_tried(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it has logged anything: a call made, or one that was refused."""
        return bool(self.log_of(process))

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something; fails if it takes too long, or a process ends by itself."""
        self.program.until_by_living(done, "what these processes are to do")

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM, after which it ends well."""
        self.program.end(process)

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
        return self.program.logs_of(process)


@contextmanager
def house_of(folder: Path, database: Database, server: ScriptedServer, **settings: object) -> Iterator[House]:
    """A house whose processes are gone at the end."""
    house = House(folder, database, server, **settings)  # type: ignore[arg-type]
    try:
        yield house
    finally:
        house.program.stop()
