"""12,000 messages, workers killed and frozen at random: every item is there once, nothing is contradicted.

Messages are sent, and topics read, by librdkafka: another client than the one that the program is built on.
"""

import random
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from kafka_fixtures import KafkaForTests, wait_until
from program import FUNCTIONS, Program, configuration, item, published

from benchmarks.past_the_program import query

MESSAGES = 12_000
MALFORMED = (b"{broken", b'{"id": "x", "text": "\xff\xfe"}', b"[1, 2]", b'{"id": 3, "text": "x"}', b"")
PARTITIONS = 6
SECONDS = 240
STEPS = 6
FREEZE_AT = 3

HELD = """

import os
import time
from pathlib import Path

HOLD = Path(__file__).with_name("hold")


@labeling_function
def held(x):
    if HOLD.exists():
        HOLD.with_name(f"held-{os.getpid()}").touch()
        while HOLD.exists():
            time.sleep(0.01)
    return ABSTAIN
"""
"""A function that stays in the middle of a batch for as long as a file is there, and says so."""


class Read(NamedTuple):
    """A message as an independent reader got it."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def messages(generator: random.Random) -> list[bytes]:
    """Good ones with 50 malformed among them."""
    good = [item(number) for number in range(MESSAGES - 50)]
    spoiled = [MALFORMED[number % len(MALFORMED)] for number in range(50)]
    everything = good + spoiled
    generator.shuffle(everything)
    return everything


def produce(bootstrap: str, topic: str, values: Sequence[bytes]) -> None:
    """Send to all partitions in turn; returns when everything is acknowledged."""
    refused: list[object] = []
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.type": "lz4"}
    )
    for number, value in enumerate(values):
        producer.produce(
            topic,
            value,
            partition=number % PARTITIONS,
            on_delivery=lambda error, _message: refused.append(error) if error else None,
        )
        producer.poll(0)
    assert producer.flush(60) == 0
    assert refused == []


def read(bootstrap: str, topic: str, until: Callable[[list[Read]], bool]) -> list[Read]:
    """Every message of a topic from its beginning, once `until` holds of them."""
    group = f"reader-{uuid.uuid4().hex[:8]}"
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    found: list[Read] = []

    def enough() -> bool:
        for message in consumer.consume(5_000, 0.5):
            assert message.error() is None
            found.append(Read(message.key() or b"", message.value() or b"", message.headers() or []))
        return until(found)

    try:
        partitions = consumer.list_topics(topic, 30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        wait_until(enough, 60, f"what was wanted of topic {topic}")
    finally:
        consumer.close()
    return found


@pytest.mark.kafka_only
@pytest.mark.timeout(SECONDS + 120)
def test_workers_may_be_killed_and_frozen(kafka: KafkaForTests, postgres_url: str, tmp_path: Path) -> None:
    generator = random.Random(11)
    settings = kafka.settings
    topics = settings.topics
    names = {"items": topics.items, "labels": topics.labels, "questions": topics.questions}
    program = Program(
        tmp_path,
        configuration(
            kafka.bootstrap, {**names, "dead_letters": topics.dead_letters}, postgres_url, settings.group
        ),
    )
    program.write(FUNCTIONS + HELD)
    kafka.create(topics.items, PARTITIONS)
    try:
        workers = [program.start("run"), program.start("run")]
        everything = messages(generator)
        sent: list[bytes] = []
        for step in range(STEPS):
            chunk = everything[step::STEPS]
            sent += chunk
            if step == FREEZE_AT:
                (tmp_path / "hold").touch()
            before = program.stored
            produce(kafka.bootstrap, topics.items, chunk)
            if step == FREEZE_AT:
                freeze(program, workers[generator.randrange(2)], good(sent))
            else:
                kill(program, workers, generator, lambda before=before: program.stored > before)
        assert len(program.processes) == 2 + STEPS - 1
        program.until(lambda: program.stored >= MESSAGES - 50, f"{MESSAGES - 50} stored items", SECONDS)
        wait_until(
            lambda: query(postgres_url, "select count(*) from outbox")[0][0] == 0, 60, "an empty outbox"
        )
        check(kafka.bootstrap, postgres_url, topics.labels, topics.dead_letters)
    finally:
        (tmp_path / "hold").unlink(missing_ok=True)
        program.stop()


def good(values: Sequence[bytes]) -> int:
    """How many of these will be stored."""
    return sum(value not in MALFORMED for value in values)


def kill(program: Program, workers: list, generator: random.Random, at_work: Callable[[], bool]) -> None:
    """Kill one of two workers at work and start another."""
    program.until(at_work, "work to disturb", longest_rest=0)
    time.sleep(generator.uniform(0.0, 0.3))
    victim = generator.randrange(2)
    workers[victim].kill()
    workers[victim].wait()
    workers[victim] = program.start("run")


def freeze(program: Program, victim: subprocess.Popen[bytes], sent: int) -> None:
    """Stop one worker in mid-batch, wake it when another has done its work: it must notice."""
    mark = program.folder / f"held-{victim.pid}"
    program.until(mark.exists, "the victim in the middle of a batch")
    victim.send_signal(signal.SIGSTOP)
    (program.folder / "hold").unlink()
    program.until(lambda: program.stored >= sent, "the others to take over", 120)
    victim.send_signal(signal.SIGCONT)
    program.until(
        lambda: "another worker has been here" in program.logs_of(victim),
        "a worker that notices that it slept",
    )


def check(bootstrap: str, url: str, labels: str, dead_letters: str) -> None:
    """What an independent reader finds in the database and on the topics."""
    found = {
        name: (state, revision)
        for name, state, revision in query(url, "select id, state, revision from items")
    }
    assert set(found) == {f"item-{number}" for number in range(MESSAGES - 50)}
    current = dict(query(url, "select item, max(revision) from labels group by item"))
    assert all(current.get(name, 0) == revision for name, (_, revision) in found.items())
    records = read(bootstrap, labels, lambda so_far: {one.key.decode() for one in so_far} >= set(found))
    out = published(records)
    assert out.contradictions == []
    assert set(out.revisions) == set(found)
    assert all(out.current(name)["revision"] == revision for name, (_, revision) in found.items())
    open_questions = {
        name for (name,) in query(url, "select item from questions where state in ('open', 'leased')")
    }
    asking = {name for name, (state, _) in found.items() if state == "asking"}
    assert asking <= open_questions
    doubled = query(
        url,
        "select item, purpose, count(*) from questions group by item, purpose having count(*) > 1",
    )
    assert doubled == []
    letters = read(bootstrap, dead_letters, lambda so_far: len(so_far) >= 50)
    reasons = Counter(dict(record.headers)["reason"].decode() for record in letters)
    places = {(dict(r.headers)["partition"], dict(r.headers)["offset"]) for r in letters}
    assert len(places) == 50
    assert reasons.keys() == {"not_json", "not_utf8", "wrong_shape"}
