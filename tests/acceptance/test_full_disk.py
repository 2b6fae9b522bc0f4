"""A database that may not grow stops the worker with a message; with room again nothing is missing."""

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_fixtures import KafkaForTests
from patience import PATIENCE
from program import Program, item, migrated, published, worker_program

from benchmarks.past_the_program import query

ITEMS = 6_000
ROOM = 400_000
"""Bytes beyond what is there: far fewer than the items take."""
LIMITED = "this system knows no limit of a file's size for another process"


@pytest.fixture
def program(kafka: KafkaForTests, tmp_path: Path) -> Iterator[Program]:
    made = worker_program(kafka, tmp_path, f"sqlite:///{tmp_path / 'disk' / 'labelloop.db'}")
    (tmp_path / "disk").mkdir()
    kafka.create(made.topics["items"], 2)
    made.write()
    yield made
    made.stop()


def stored(program: Program) -> set[str]:
    url = program.config["database"]["url"]
    return {name for (name,) in query(url, "select id from items")} if migrated(url) else set()


def ends_for_want_of_room(program: Program, worker: "subprocess.Popen[bytes]") -> None:
    assert worker.wait(90 * PATIENCE) == 75, program.logs()
    said = program.logs_of(worker)
    assert "there is no room to write" in said
    assert "labelloop.db" in said
    assert "Traceback" not in said


def nothing_is_missing(kafka: KafkaForTests, program: Program) -> None:
    """With room again a worker goes on where the last whole batch ended."""
    program.start("run")
    wanted = {f"item-{n}" for n in range(ITEMS)}
    program.until(lambda: stored(program) == wanted, "all items", 120)
    topics = program.topics
    out = published(kafka.read_all(topics["labels"], lambda read: {r.key.decode() for r in read} >= wanted))
    assert out.contradictions == []
    assert set(out.revisions) == wanted


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason=LIMITED)
@pytest.mark.timeout(240)
def test_a_quota_that_is_used_up_stops_the_worker_and_loses_nothing(
    kafka: KafkaForTests, program: Program
) -> None:
    topics = program.topics
    worker = program.start("run")
    kafka.produce(topics["items"], [item(n) for n in range(100)])
    program.until(lambda: len(stored(program)) == 100, "items")
    largest = max(file.stat().st_size for file in (program.folder / "disk").iterdir())
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (largest + ROOM, largest + ROOM))
    kafka.produce(topics["items"], [item(n) for n in range(100, ITEMS)])
    ends_for_want_of_room(program, worker)
    assert len(stored(program)) < ITEMS
    nothing_is_missing(kafka, program)


@pytest.mark.timeout(240)
def test_a_full_disk_stops_the_worker_until_there_is_room(kafka: KafkaForTests, program: Program) -> None:
    topics = program.topics
    disk = program.folder / "disk"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted by root only")
    try:
        worker = program.start("run")
        kafka.produce(topics["items"], [item(n) for n in range(ITEMS)])
        ends_for_want_of_room(program, worker)
        before = stored(program)
        assert 0 < len(before) < ITEMS
        assert program.run("status").returncode == 0, "what is there can be read"
        subprocess.run(["mount", "-o", "remount,size=60m", str(disk)], check=True)
        nothing_is_missing(kafka, program)
    finally:
        program.stop()
        subprocess.run(["umount", "-l", str(disk)], check=True)
