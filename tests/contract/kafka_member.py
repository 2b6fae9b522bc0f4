"""One worker of a consumer group, run as a process of its own by test_kafka_groups.py.

`kafka_member.py SPEC`: SPEC is the JSON that `Group.start` makes.
Each batch and the positions it moves are one transaction, as in the real worker.
"""

import json
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from threading import Event

from daemon.adapters.kafka.settings import KafkaSettings, TopicNames
from daemon.adapters.kafka.source import KafkaSource
from daemon.core.errors import FenceLost
from daemon.core.wire import Batch, LogStart


class Store:
    """Positions and what was read, in SQLite."""

    def __init__(self, path: str, name: str) -> None:
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.name = name

    def locate(self, starts: Sequence[LogStart]) -> list[int]:
        self.connection.execute("BEGIN IMMEDIATE")
        found = []
        for start in starts:
            key = (start.topic_id, start.partition)
            self.connection.execute(
                "INSERT OR IGNORE INTO positions VALUES (?, ?, ?)", (*key, start.beginning)
            )
            query = "SELECT next_offset FROM positions WHERE topic_id = ? AND partition = ?"
            found.append(self.connection.execute(query, key).fetchone()[0])
            self.connection.execute("INSERT INTO located VALUES (?, ?)", (self.name, start.partition))
        self.connection.execute("COMMIT")
        return found

    def save(self, batch: Batch) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for span in batch.spans:
            moved = self.connection.execute(
                "UPDATE positions SET next_offset = ?"
                " WHERE topic_id = ? AND partition = ? AND next_offset = ?",
                (span.next, span.topic_id, span.partition, span.first),
            )
            if moved.rowcount == 0:
                self.connection.execute("ROLLBACK")
                raise FenceLost
        rows = [(self.name, r.partition, r.offset, (r.value or b"").decode()) for r in batch.records]
        self.connection.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")


def work(source: KafkaSource, store: Store, stop: Event, work_ms: int) -> None:
    """Read, spend some time, save; until stopped."""
    while not stop.is_set():
        batch = source.poll()
        if not batch.records:
            continue
        until = time.monotonic() + work_ms / 1000
        while time.monotonic() < until:
            source.keep_alive()
            time.sleep(0.01)
        try:
            store.save(batch)
        except FenceLost:
            source.rewind()
        else:
            source.saved(batch.spans)


def main() -> None:
    spec = json.loads(sys.argv[1])
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = KafkaSettings(
        bootstrap=spec["bootstrap"],
        group=spec["group"],
        topics=TopicNames(items=spec["topic"]),
        session_seconds=spec["session_seconds"],
    )
    store = Store(spec["database"], spec["name"])
    source = KafkaSource(settings, store.locate, end_offsets_exact=spec["exact"], batch_items=20)
    work(source, store, stop, spec["work_ms"])
    source.close()


if __name__ == "__main__":
    main()
