"""20,000 messages, workers killed and frozen at random: every item is there once, nothing is contradicted."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from kafka_fixtures import KafkaForTests, wait_until
from program import Program, configuration, item, published, query

MESSAGES = 20_000
MALFORMED = (b"{broken", b'{"id": "x", "text": "\xff\xfe"}', b"[1, 2]", b'{"id": 3, "text": "x"}', b"")
SECONDS = 240
STEPS = 8
FREEZE_AT = 4


def messages(generator: random.Random) -> list[bytes]:
    """Good ones with 50 malformed, some repeated, and a few that contradict an earlier one."""
    good = [item(number) for number in range(MESSAGES - 50)]
    spoiled = [MALFORMED[number % len(MALFORMED)] for number in range(50)]
    everything = good + spoiled
    generator.shuffle(everything)
    return everything


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
    program.write()
    kafka.create(topics.items, 6)
    try:
        workers = [program.start("run"), program.start("run")]
        everything = messages(generator)
        for step in range(STEPS):
            chunk = everything[step::STEPS]
            for partition in range(6):
                kafka.produce(topics.items, chunk[partition::6], partition=partition, key=None)
            disturb(program, workers, generator, step, postgres_url)
        assert len(program.processes) == 2 + STEPS - 1
        wait_until(
            lambda: stored(postgres_url) >= MESSAGES - 50,
            SECONDS,
            f"{MESSAGES - 50} stored items; logs:\n{program.logs()}",
        )
        wait_until(
            lambda: query(postgres_url, "select count(*) from outbox")[0][0] == 0, 60, "an empty outbox"
        )
        check(kafka, postgres_url, topics.labels, topics.dead_letters)
    finally:
        program.stop()


def disturb(program: Program, workers: list, generator: random.Random, step: int, url: str) -> None:
    """Kill one of two workers at work and start another; once, freeze one past its session.

    The messages at hand were sent before this is called, so that growth means that they are being worked on.
    """
    before = stored(url)
    wait_until(lambda: stored(url) > before, 60, f"work to disturb; {program.logs()}")
    time.sleep(generator.uniform(0.0, 0.3))
    victim = generator.randrange(2)
    if step == FREEZE_AT:
        workers[victim].send_signal(signal.SIGSTOP)
        time.sleep(9)
        workers[victim].send_signal(signal.SIGCONT)
        return
    workers[victim].kill()
    workers[victim].wait()
    workers[victim] = program.start("run")


def stored(url: str) -> int:
    return int(query(url, "select count(*) from items")[0][0])


def check(kafka: KafkaForTests, url: str, labels: str, dead_letters: str) -> None:
    """What an independent reader finds in the database and on the topics."""
    found = {
        name: (state, revision)
        for name, state, revision in query(url, "select id, state, revision from items")
    }
    assert set(found) == {f"item-{number}" for number in range(MESSAGES - 50)}
    current = dict(query(url, "select item, max(revision) from labels group by item"))
    assert all(current.get(name, 0) == revision for name, (_, revision) in found.items())
    records = kafka.read_all(labels, lambda read: {r.key.decode() for r in read} >= set(found))
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
    letters = kafka.read_all(dead_letters, lambda read: len(read) >= 50)
    reasons = Counter(dict(record.headers)["reason"].decode() for record in letters)
    places = {(dict(r.headers)["partition"], dict(r.headers)["offset"]) for r in letters}
    assert len(places) == 50
    assert reasons.keys() == {"not_json", "not_utf8", "wrong_shape"}
