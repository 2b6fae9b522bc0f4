"""`labelloop up` stopped by Ctrl-C and by SIGKILL in mid-stream goes on with the same state folder."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kafka_fixtures import KafkaForTests, wait_until
from program import Program, configuration, item, migrated, published, query

from daemon.adapters.broker.process import free_port

TOPICS = {"items": "items", "labels": "labels", "questions": "questions", "dead_letters": "dead-letters"}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    config = configuration("", TOPICS, None, "labelloop")
    config["kafka"] = {"partitions": 3}
    config["mlflow"] = {"uri": "http://127.0.0.1:1"}  # nobody there: labels must not need it
    config["review"] = {"port": free_port()}
    config["stream"] = {"batch_items": 64}
    made = Program(tmp_path, config)
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
        self.process.wait(40)
        _gone, alive = psutil.wait_procs(family, timeout=10)
        assert alive == [], f"{alive}; {self.program.logs()}"


def names(first: int, last: int) -> set[str]:
    return {f"item-{n}" for n in range(first, last)}


@pytest.mark.timeout(300)
def test_it_goes_on_after_ctrl_c_and_after_being_killed(program: Program) -> None:
    url = f"sqlite:///{program.folder / 'state' / 'labelloop.db'}"
    up = Up(program)
    up.send(0, 3_000)
    wait_until(lambda: migrated(url) and count(url) >= 200, 60, f"items; {program.logs()}")
    up.end(signal.SIGINT)
    assert up.process.returncode == 0
    before = stored(url)
    up = Up(program)
    up.send(2_900, 4_000)
    out = up.labels(names(3_000, 4_000))
    assert out.contradictions == []
    assert stored(url) >= before | names(2_900, 4_000)
    assert not set(out.revisions) & (before - {f"item-{n}" for n in range(2_900, 3_000)})
    up.send(4_000, 7_000)
    wait_until(lambda: count(url) >= len(before | names(2_900, 4_000)) + 100, 60, "more items")
    up.end(signal.SIGKILL)
    up = Up(program)
    up.send(7_000, 7_500)
    assert up.labels(names(7_000, 7_500)).contradictions == []
    doubled = query(url, "select item, revision, count(*) from labels group by 1, 2 having count(*) > 1")
    assert doubled == []
    up.end(signal.SIGTERM)


@pytest.mark.kafka_only
@pytest.mark.timeout(240)
def test_with_an_apache_kafka_of_its_own_nothing_sent_is_forgotten(program: Program) -> None:
    home = {"LABELLOOP_KAFKA_HOME": os.environ["LABELLOOP_KAFKA_HOME"]}
    url = f"sqlite:///{program.folder / 'state' / 'labelloop.db'}"
    up = Up(program, **home)
    up.send(0, 6_000)
    wait_until(lambda: migrated(url) and count(url) >= 200, 60, f"items; {program.logs()}")
    up.end(signal.SIGINT)
    up = Up(program, **home)
    out = up.labels(names(0, 6_000))
    assert out.contradictions == []
    assert {max(revisions) for revisions in out.revisions.values()} == {1}
    up.end(signal.SIGTERM)


@pytest.mark.timeout(120)
def test_a_second_one_on_the_same_folder_is_refused(program: Program) -> None:
    up = Up(program)
    second = program.run("up", timeout=40)
    assert second.returncode == 2
    assert "in use by another" in second.stderr
    up.end(signal.SIGTERM)


def count(url: str) -> int:
    return int(query(url, "select count(*) from items")[0][0])


def stored(url: str) -> set[str]:
    return {name for (name,) in query(url, "select id from items")}
