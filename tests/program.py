"""The real program as subprocesses, and an independent reader of what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from kafka_fixtures import LONGEST_REST, KafkaForTests, wait_until
from patience import PATIENCE
from sqlalchemy import inspect

from benchmarks.past_the_program import past_the_program, query
from daemon.adapters.kafka.settings import TopicNames

FUNCTIONS = """
from labeling_functions.function import labeling_function

HAM, SPAM, ABSTAIN = 0, 1, -1


@labeling_function
def prize(x):
    return SPAM if "prize" in x.text else ABSTAIN


@labeling_function
def win(x):
    return SPAM if "win" in x.text else ABSTAIN


@labeling_function
def now(x):
    return SPAM if "now" in x.text else ABSTAIN


@labeling_function
def hello(x):
    return HAM if "hello" in x.text else ABSTAIN


@labeling_function
def friend(x):
    return HAM if "friend" in x.text else ABSTAIN


@labeling_function
def lunch(x):
    return HAM if "lunch" in x.text else ABSTAIN
"""

SURE = ("win a prize now {n}", "hello friend, lunch {n}?")
DOUBTFUL = "maybe {n}"


def item(number: int, doubtful_every: int = 10) -> bytes:
    """A message that heuristics are sure of, or, each so many, one that they say nothing about."""
    pattern = DOUBTFUL if number % doubtful_every == 0 else SURE[number % 2]
    return json.dumps({"id": f"item-{number}", "text": pattern.format(n=number)}).encode()


@dataclass
class Program:
    """A configuration in a folder, and the processes started with it.

    `apart`: whether each process leads a group of its own, which somebody else ends.
    """

    folder: Path
    config: dict[str, Any]
    apart: bool = False
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _migrated: bool = field(default=False, init=False)
    _ended: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.folder / "labelloop.yaml"

    @property
    def topics(self) -> dict[str, str]:
        """What the configuration calls them."""
        names: dict[str, str] = self.config["kafka"]["topics"]
        return names

    @property
    def url(self) -> str:
        """Address of its database."""
        given: str | None = self.config["database"]["url"]
        return given or f"sqlite:///{self.folder / self.config['state'] / 'labelloop.db'}"

    @property
    def stored(self) -> int:
        """Items in the database by now, which it makes itself."""
        self._migrated = self._migrated or migrated(self.url)
        return int(query(self.url, "select count(*) from items")[0][0]) if self._migrated else 0

    def write(self, functions: str = FUNCTIONS) -> None:
        """Write configuration and labeling functions."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(yaml.safe_dump(self.config))
        (self.folder / "my_functions.py").write_text(textwrap.dedent(functions))

    def start(self, *command: str, within: Sequence[str] = (), **environment: str) -> subprocess.Popen[bytes]:
        """Start `labelloop COMMAND -c FILE` in the background; its output goes to a file.

        `within`: words before it, of a program that puts it somewhere and becomes it.
        """
        name = f"{command[0]}-{len(self.processes)}"
        with (self.folder / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                [*within, sys.executable, "-m", "daemon.cli", *command, "-c", str(self.file)],
                env={**_clean_environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=self.apart,
            )
        self.processes.append(process)
        return process

    def run(
        self, *command: str, timeout: float = 60.0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; output as text."""
        return subprocess.run(
            [sys.executable, "-m", "daemon.cli", *command, "-c", str(self.file)],
            env={**_clean_environment(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE * timeout,
            check=False,
        )

    def until(
        self, done: Callable[[], Any], what: str, deadline: float = 60.0, longest_rest: float = LONGEST_REST
    ) -> Any:
        """Wait for what the processes bring about; who waits in vain is told what they wrote."""
        return wait_until(done, deadline, lambda: f"{what}; {self.logs()}", longest_rest)

    def until_by_living(self, done: Callable[[], Any], what: str, deadline: float = 100.0) -> Any:
        """The same; fails at once when a process has ended by itself, neither by `end` nor killed."""

        def looked() -> Any:
            left = [process.poll() for process in self.processes if process not in self._ended]
            assert set(left) <= {None, -signal.SIGKILL}, self.logs()
            return done()

        return self.until(looked, what, deadline)

    def end(self, process: subprocess.Popen[bytes], deadline: float = 60.0) -> None:
        """SIGTERM, after which it ends well."""
        process.terminate()
        assert process.wait(deadline * PATIENCE) == 0, self.logs_of(process)
        self._ended.append(process)

    def logs(self) -> str:
        """What all processes wrote, for messages of failing tests."""
        found = [*self.folder.glob("*.log"), *self.folder.glob("state/logs/*.log")]
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3_000:]}" for path in found)

    def logs_of(self, process: subprocess.Popen[bytes]) -> str:
        """What one process wrote."""
        return next(
            path.read_text(errors="replace")
            for path in self.folder.glob(f"*-{self.processes.index(process)}.log")
        )

    def logs_of_all(self, command: str) -> str:
        """What all processes of this command wrote."""
        return "\n".join(path.read_text(errors="replace") for path in self.folder.glob(f"{command}-*.log"))

    def stop(self) -> None:
        """End everything that is still there."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


def _clean_environment() -> dict[str, str]:
    """The environment without settings of the test run, which are no configuration of the program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LABELLOOP_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONWARNINGS": "default"}


def topics_of(names: TopicNames) -> dict[str, str]:
    """Names of topics as a configuration has them."""
    return {
        "items": names.items,
        "labels": names.labels,
        "questions": names.questions,
        "dead_letters": names.dead_letters,
    }


def configuration(bootstrap: str, topics: dict[str, str], database: str | None, group: str) -> dict[str, Any]:
    """A task without an encoder: quick to start, and heuristics decide."""
    return {
        "task": {"name": "acceptance", "classes": ["ham", "spam"]},
        "functions": {"modules": ["my_functions.py"]},
        "encoder": None,
        "tiers": {
            "crowd": {"price": 0.05},
            "expert": {"price": 0.6, "final": True},
        },
        "routing": {"ask_below": 0.7},
        "guarantee": {"cold_start_gold": 20},
        "kafka": {
            "bootstrap": bootstrap,
            "group": group,
            "topics": topics,
            "partitions": 6,
            "create_topics": True,
            "session_seconds": 6,
        },
        "database": {"url": database},
        "state": "state",
    }


def worker_program(kafka: KafkaForTests, folder: Path, url: str) -> Program:
    """Its worker reads and writes topics of this test's own; nothing is written yet."""
    settings = kafka.settings
    config = configuration(kafka.bootstrap, topics_of(settings.topics), url, settings.group)
    config["kafka"]["end_offsets_exact"] = kafka.is_apache
    return Program(folder, config)


@dataclass(frozen=True)
class Published:
    """Topic `labels` as an independent reader finds it."""

    revisions: dict[str, dict[int, list[bytes]]]

    @property
    def contradictions(self) -> list[str]:
        """Items with two different payloads under one revision."""
        return [
            f"{name} revision {number}"
            for name, revisions in self.revisions.items()
            for number, payloads in revisions.items()
            if len(set(payloads)) > 1
        ]

    def current(self, name: str) -> dict[str, Any]:
        """The highest revision of an item."""
        revisions = self.revisions[name]
        label: dict[str, Any] = json.loads(revisions[max(revisions)][0])
        return label


def published(records: list[Any]) -> Published:
    """Sort what was read from topic `labels`."""
    revisions: dict[str, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        message = json.loads(record.value)
        assert record.key == message["item"].encode()
        revisions[message["item"]][message["revision"]].append(record.value)
    return Published({name: dict(numbers) for name, numbers in revisions.items()})


def migrated(url: str) -> bool:
    """Whether the program has made its tables by now."""
    return inspect(past_the_program(url)).has_table("counters")
