"""A house for replays: items that went through the loop, their archive, and the command."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result
from loop_harness import POLICY, Loop
from program import FUNCTIONS, item
from sqlalchemy import MetaData, select

from daemon import cli
from daemon.adapters.store.binding import bind
from daemon.adapters.store.engine import Database
from labeling_functions.loading import load

SETTINGS: dict[str, Any] = {
    "task": {"name": "messages", "classes": ["ham", "spam"]},
    "functions": {"modules": ["my_functions.py"]},
    "tiers": {"crowd": {"price": 0.05, "accuracy": 0.9}, "expert": {"price": 0.6, "final": True}},
    "routing": {"ask_below": 0.7},
    "encoder": None,
}


@dataclass
class ReplayHouse:
    """A folder with configuration, functions, and an archive of items.

    `url`: of a migrated database; a SQLite file in the folder if none.
    """

    folder: Path
    url: str | None = None

    def write(self, **changes: Any) -> None:
        """Configuration and functions."""
        (self.folder / "labelloop.yaml").write_text(
            yaml.safe_dump({**SETTINGS, "database": {"url": self.url or "sqlite:///loop.db"}, **changes})
        )
        (self.folder / "my_functions.py").write_text(FUNCTIONS)

    def turn_functions(self) -> None:
        """What said ham says spam from now on, and the other way round."""
        file = self.folder / "my_functions.py"
        file.write_text(file.read_text().replace("HAM, SPAM, ABSTAIN = 0, 1", "HAM, SPAM, ABSTAIN = 1, 0"))

    def archive(self, lines: Sequence[bytes], name: str = "archive.jsonl") -> Path:
        """A file with these lines."""
        file = self.folder / name
        file.write_bytes(b"\n".join(lines) + b"\n")
        return file

    def label(self, lines: Sequence[bytes]) -> Loop:
        """Let these items go through the worker; the loop, to be closed."""
        functions = load(["my_functions.py"], self.folder)
        loop = Loop(self.folder, POLICY, functions=functions, url=self.url).start()
        bind(loop.database, POLICY.classes, POLICY.kind)
        loop.send(list(lines))
        loop.read()
        return loop

    def replay(self, *arguments: str) -> Result:
        """The command, in this process; names of files begin in the folder."""
        given = [str(self.folder / one) if "." in one and "://" not in one else one for one in arguments]
        return CliRunner().invoke(cli.main, ["replay", *given, "-c", str(self.folder / "labelloop.yaml")])

    def rows(self, name: str = "out.jsonl") -> list[dict[str, Any]]:
        """What was written."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def report(self, name: str = "diff.json") -> dict[str, Any]:
        """The report of what would change."""
        told: dict[str, Any] = json.loads((self.folder / name).read_text())
        return told

    def database(self) -> list[str]:
        """All that the database holds, row by row."""
        engine = Database(self.url or f"sqlite:///{self.folder / 'loop.db'}")
        tables = MetaData()
        with engine.read() as connection:
            tables.reflect(connection)
            rows = [
                f"{table.name} {row._asdict()}"
                for table in tables.sorted_tables
                for row in connection.execute(select(table))
            ]
        engine.close()
        return sorted(rows)


def items(count: int) -> list[bytes]:
    """Messages, one in ten doubtful."""
    return [item(number) for number in range(count)]
