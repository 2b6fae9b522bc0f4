"""A running `labelloop up` with an embedded broker."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kafka_fixtures import KafkaForTests, wait_until
from patience import PATIENCE
from program import Program, configuration, item, published

from daemon.adapters.starting import free_port

TOPICS = {"items": "items", "labels": "labels", "questions": "questions", "dead_letters": "dead-letters"}


def up_program(folder: Path) -> Program:
    """A program whose `up` starts a broker of its own; nobody is where MLflow should be."""
    config = configuration("", TOPICS, None, "labelloop")
    config["kafka"] = {"partitions": 3}
    config["mlflow"] = {"uri": "http://127.0.0.1:1"}  # labels must not need it
    config["review"] = {"port": free_port()}
    config["stream"] = {"batch_items": 64}
    return Program(folder, config)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A program whose `up` can be started, as often as a test likes."""
    made = up_program(tmp_path)
    made.write()
    yield made
    made.stop()


class Up:
    """A running `labelloop up`."""

    def __init__(self, program: Program, **environment: str) -> None:
        self.program = program
        self.process = program.start("up", **environment)
        self._log = program.folder / f"up-{len(program.processes) - 1}.log"
        wait_until(lambda: "is up" in self._said() or self.process.poll() is not None, 90, "a welcome")
        assert self.process.poll() is None, program.logs()
        found = re.search(r"Kafka +(\S+)", self._said())
        assert found is not None
        self.kafka = KafkaForTests(found[1], "embedded", is_apache=False)

    def _said(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def family(self) -> list[psutil.Process]:
        """This process and all that it started, in all generations."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def children(self, command: str) -> list[psutil.Process]:
        """Those that run this command."""
        found = psutil.Process(self.process.pid).children()
        return [one for one in found if one.status() != psutil.STATUS_ZOMBIE and command in one.cmdline()]

    def send(self, first: int, last: int) -> None:
        """Put items on topic items, spread over its partitions."""
        for partition in range(3):
            values = [item(n) for n in range(first, last) if n % 3 == partition]
            self.kafka.produce("items", values, partition=partition)

    def labels(self, wanted: set[str]) -> Any:
        """Topic labels once all of these items are on it."""
        return published(self.kafka.read_all("labels", lambda read: {r.key.decode() for r in read} >= wanted))

    def end(self, how: signal.Signals) -> None:
        """Send the signal and see that everything ends."""
        family = self.family
        self.kafka.close()
        self.process.send_signal(how)
        self.process.wait(40 * PATIENCE)
        _gone, alive = psutil.wait_procs(family, timeout=10 * PATIENCE)
        assert alive == [], f"{alive}; {self.program.logs()}"
