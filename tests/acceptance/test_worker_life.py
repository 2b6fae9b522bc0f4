"""A worker stops in time, answers in time, and keeps its partitions while it works slowly."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from database_fixtures import blank_sqlite
from kafka_fixtures import KafkaForTests, wait_until
from patience import PATIENCE
from program import FUNCTIONS, Program, item, worker_program
from sqlalchemy import update

from benchmarks.past_the_program import query
from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import items

SLOW = (
    FUNCTIONS
    + """

import time


@labeling_function
def slow(x):
    time.sleep(0.05)
    return ABSTAIN
"""
)


@pytest.fixture
def program(kafka: KafkaForTests, tmp_path: Path) -> Iterator[Program]:
    made = worker_program(kafka, tmp_path, blank_sqlite(tmp_path / "labelloop.db"))
    made.config["guarantee"]["cold_start_gold"] = 0
    kafka.create(made.topics["items"], 2)
    made.write()
    yield made
    made.stop()


def test_an_answer_shows_in_labels_within_two_seconds(kafka: KafkaForTests, program: Program) -> None:
    topics = program.topics
    kafka.produce(topics["items"], [item(0)])
    program.start("run")
    program.until(lambda: program.stored == 1, "an item")
    kafka.read_all(topics["labels"], lambda read: len(read) == 1)
    database = Database(program.url)
    try:
        room = QuestionRoom(database)
        ann = room.enroll("ann", "crowd").id
        (lease,) = wait_until(lambda: room.lease(ann, "crowd", 1, 60.0))
        before = time.time() * 1_000
        room.answer(lease.question, ann, 1, 1.0)
    finally:
        database.close()
    labels = kafka.read_all(topics["labels"], lambda read: len(read) == 2)
    assert labels[-1].timestamp - before < 2_000 * PATIENCE
    assert b'"label":"spam"' in labels[-1].value


def test_sigterm_finishes_the_batch_and_ends_within_ten_seconds(
    kafka: KafkaForTests, program: Program
) -> None:
    topics = program.topics
    program.config["stream"] = {"batch_items": 40}
    program.write(SLOW)
    worker = program.start("run")
    kafka.produce(topics["items"], [item(n) for n in range(2_000)])
    program.until(lambda: program.stored > 0, "items")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10 * PATIENCE) == 0
    (position,) = query(program.url, "select sum(next_offset) from positions")
    assert position[0] == program.stored < 2_000
    current = query(program.url, "select count(*) from outbox")
    assert current == [(0,)]


@pytest.mark.timeout(120)
def test_slow_work_never_costs_the_partitions(kafka: KafkaForTests, program: Program) -> None:
    topics = program.topics
    program.config["kafka"]["max_poll_seconds"] = 10
    program.config["stream"] = {"batch_items": 300}
    program.write(SLOW)
    kafka.produce(topics["items"], [item(n) for n in range(300)])
    worker = program.start("run")
    program.until(lambda: program.stored == 300, "300 items")
    assert worker.poll() is None
    assert program.logs().count("reading partitions") == 1
    assert "fence_lost" not in program.logs()


def test_old_released_items_are_removed_where_they_are_not_kept(
    kafka: KafkaForTests, program: Program
) -> None:
    program.config["database"]["keep_days"] = 1
    program.write()
    topics, day = program.topics, 86_400_000
    kafka.produce(topics["items"], [item(number) for number in range(1, 8)])
    running = program.start("run")
    program.until(lambda: program.stored == 7, "items")
    running.terminate()
    assert running.wait() == 0
    database = Database(program.url)
    try:
        with database.write() as connection:
            aged = {"arrived": items.c.arrived - 2 * day, "changed": items.c.changed - 2 * day}
            connection.execute(update(items).values(state="certified", **aged).where(items.c.id != "item-3"))
    finally:
        database.close()
    program.start("run")
    program.until(lambda: program.stored == 1, "one item to be left")
    url = program.url
    assert query(url, "select id from items") == [("item-3",)]
    assert query(url, "select distinct item from labels") == [("item-3",)]
