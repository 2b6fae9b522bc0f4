"""Several workers, each a process of its own, share the partitions of a topic and outlive one another."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka_fixtures import KafkaForTests, wait_until
from kafka_worlds import Positions, poll_some, take
from patience import PATIENCE

from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.kafka.source import KafkaSource
from daemon.core.wire import Record

PARTITIONS = 6
MEMBER = Path(__file__).with_name("kafka_member.py")
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE positions (topic_id TEXT, partition INT, next_offset INT, PRIMARY KEY (topic_id, partition));
CREATE TABLE seen (name TEXT, partition INT, offset INT, value TEXT);
CREATE TABLE located (name TEXT, partition INT);
"""


class Group:
    """Member processes on one topic, and what they wrote."""

    def __init__(self, kafka: KafkaForTests, folder: Path) -> None:
        self.kafka = kafka
        self.settings = kafka.settings_with_topic(PARTITIONS)
        self.database = folder / "seen.db"
        self.connection = sqlite3.connect(self.database, timeout=30)
        self.connection.executescript(SCHEMA)
        self.members: dict[str, subprocess.Popen[bytes]] = {}
        self.produced: Counter[int] = Counter()

    def start(self, name: str, session_seconds: float = 6.0, work_ms: int = 0) -> None:
        spec = {
            "name": name,
            "database": str(self.database),
            "bootstrap": self.kafka.bootstrap,
            "topic": self.settings.topics.items,
            "group": self.settings.group,
            "session_seconds": session_seconds,
            "exact": self.kafka.is_apache,
            "work_ms": work_ms,
        }
        self.members[name] = subprocess.Popen([sys.executable, str(MEMBER), json.dumps(spec)])

    def produce(self, count: int) -> None:
        """So many more to each partition."""
        for partition in range(PARTITIONS):
            first = self.produced[partition]
            values = [b"%d/%d" % (partition, n) for n in range(first, first + count)]
            self.kafka.produce(self.settings.topics.items, values, partition=partition)
            self.produced[partition] += count

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def readers_of_new_messages(self) -> set[object]:
        """Send one message to each partition and see who reads them."""
        before = self.rows("SELECT count(*) FROM seen")[0][0]
        self.produce(1)
        self.wait_for_all()
        return {name for (name,) in self.rows(f"SELECT DISTINCT name FROM seen WHERE rowid > {before}")}

    def wait_for_all(self) -> None:
        wanted = sum(self.produced.values())
        wait_until(lambda: self.rows("SELECT count(*) FROM seen")[0][0] >= wanted, 60, f"{wanted} records")

    def wait_for_readers(self, names: set[str]) -> None:
        """Wait until these and no others read the topic."""
        wait_until(lambda: self.readers_of_new_messages() == names, 60, f"{names} sharing the topic")

    def assert_everything_once_and_in_order(self) -> None:
        seen = self.rows("SELECT partition, value FROM seen ORDER BY rowid")
        for partition, count in self.produced.items():
            expected = [f"{partition}/{n}" for n in range(count)]
            assert [value for found, value in seen if found == partition] == expected

    def freeze(self, name: str) -> None:
        """SIGSTOP a member between two transactions: one inside would keep everybody from writing."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.members[name].send_signal(signal.SIGSTOP)
        os.waitpid(self.members[name].pid, os.WUNTRACED)  # a signal sent is not yet obeyed
        self.connection.rollback()

    def close(self) -> None:
        for process in self.members.values():
            process.kill()
            process.wait()
        self.connection.close()


@pytest.fixture
def group(kafka: KafkaForTests, tmp_path: Path) -> Iterator[Group]:
    made = Group(kafka, tmp_path)
    yield made
    made.close()


def test_two_then_three_share_and_a_killed_one_is_replaced(group: Group) -> None:
    group.start("a", work_ms=30)
    group.start("b", work_ms=30)
    group.produce(50)
    group.wait_for_readers({"a", "b"})
    group.start("c", work_ms=30)
    group.wait_for_readers({"a", "b", "c"})
    group.produce(200)
    group.members["b"].kill()
    group.produce(100)
    group.wait_for_all()
    group.wait_for_readers({"a", "c"})
    group.assert_everything_once_and_in_order()


def test_a_worker_that_slept_past_its_session_is_fenced_and_comes_back(group: Group) -> None:
    group.start("a", work_ms=50)
    group.start("b", work_ms=50)
    group.produce(20)
    group.wait_for_readers({"a", "b"})
    group.produce(100)
    group.freeze("a")
    group.wait_for_all()  # b reads all of it
    group.members["a"].send_signal(signal.SIGCONT)
    group.produce(100)
    group.wait_for_readers({"a", "b"})
    group.assert_everything_once_and_in_order()


def test_closing_hands_over_long_before_the_session_ends(group: Group) -> None:
    session = 40.0 if group.kafka.is_apache else 16.0  # the embedded broker's groups form after half of it
    group.start("a", session_seconds=session)
    group.start("b", session_seconds=session)
    group.wait_for_readers({"a", "b"})
    started = time.monotonic()
    group.members["a"].send_signal(signal.SIGTERM)
    assert group.members["a"].wait(10 * PATIENCE) == 0
    assert time.monotonic() - started < 5 * PATIENCE
    group.produce(10)
    group.wait_for_all()
    assert time.monotonic() - started < session - 3
    group.assert_everything_once_and_in_order()


def test_work_longer_than_the_poll_interval_keeps_the_membership(kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic()
    impatient = KafkaSettings(
        bootstrap=kafka.bootstrap,
        group=settings.group,
        topics=settings.topics,
        session_seconds=6.0,
        max_poll_seconds=6.0,
    )
    kafka.produce(settings.topics.items, [b"%d" % n for n in range(30)])
    positions = Positions()
    source = KafkaSource(impatient, positions.locate, end_offsets_exact=kafka.is_apache, batch_items=10)
    try:
        read = [*poll_some(source).records]
        until = time.monotonic() + 9
        while time.monotonic() < until:
            source.keep_alive()
            time.sleep(0.02)
        read += take(source, 20)
        assert [r.value for r in read] == [b"%d" % n for n in range(30)]
        assert len(positions.asked) == 1  # placed anew only if it had been thrown out
    finally:
        source.close()


@pytest.mark.kafka_only
def test_partitions_added_to_a_topic_are_read_soon(
    kafka: KafkaForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.adapters.kafka.connection.METADATA_MAX_AGE_MS", 300)
    settings = kafka.settings_with_topic(1)
    positions = Positions()
    # Polls that end at once leave the rejoin to finish between two of them, where kafka-python forgets it.
    source = KafkaSource(settings, positions.locate, poll_seconds=0.001)
    try:
        kafka.produce(settings.topics.items, [b"old"])
        take(source, 1, positions)
        kafka.admin.create_partitions({settings.topics.items: 3})
        wait_until(lambda: len(kafka.admin.describe_topics([settings.topics.items])[0]["partitions"]) == 3)
        kafka.close()  # its producer knows one partition
        for partition in range(3):
            kafka.produce(settings.topics.items, [b"new"], partition=partition)
        read = take(source, 3, positions)
        assert sorted((r.partition, r.value) for r in read) == [(0, b"new"), (1, b"new"), (2, b"new")]
    finally:
        source.close()


def test_commits_are_there_for_lag_displays(kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic()
    kafka.produce(settings.topics.items, [b"a", b"b"])
    source = KafkaSource(settings, Positions().locate, end_offsets_exact=kafka.is_apache)
    try:
        read: list[Record] = []
        while len(read) < 2:
            batch = poll_some(source)
            source.saved(batch.spans)
            read += batch.records
        offsets = kafka.admin.list_group_offsets(settings.group)[settings.group]
        assert [found.offset for found in offsets.values()] == [2]
    finally:
        source.close()


def test_a_refused_commit_is_no_error(kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic()
    kafka.produce(settings.topics.items, [b"a"])
    positions = Positions()
    source = KafkaSource(settings, positions.locate, end_offsets_exact=kafka.is_apache)
    try:
        batch = poll_some(source)
        source._consumer._coordinator.reset_generation()  # as after being thrown out of the group
        source.saved(batch.spans)
        positions.save(batch.spans)
        kafka.produce(settings.topics.items, [b"b"])
        assert [r.value for r in take(source, 1, positions)] == [b"b"]
    finally:
        source.close()
