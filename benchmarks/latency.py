"""How long an item waits for its first label, with items coming at a steady rate.

    python -m benchmarks.latency postgresql://user:password@host/empty_database --rate 6000

Needs `LABELLOOP_KAFKA_HOME` and an empty PostgreSQL database. The models are trained first; then items are
written at the rate while one worker runs. Counted is the time from the timestamp that Kafka has of the item
to that of its first label, both given by clients on this machine; the first seconds are left out.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table

from benchmarks.end_to_end import Run, kafka_for, kafka_home
from benchmarks.end_to_end_world import PARTITIONS, TEXTS, TOPICS, configuration

SLICE_SECONDS = 0.02
"""Items are written in portions of so much time."""
WARM_SECONDS = 5.0
LATE = 1.02
"""A producer that took so many times as long as it should have did not keep the rate."""
BATCHES = (256, 4_096)
SEED = 3


def main() -> None:
    """Measure with each size of batches and print; nothing without Kafka and a database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", help="address of an empty PostgreSQL database")
    parser.add_argument("--rate", type=int, default=5_000, help="items a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    if (home := kafka_home(given.database)) is None:
        return
    table = Table("batches of", "labels", "median ms", "p90", "p99", "longest", "published at once")
    with tempfile.TemporaryDirectory() as folder, kafka_for(home, Path(folder)) as bootstrap:
        run = Run(Path(folder), bootstrap, given.database)
        run.write(configuration(bootstrap, given.database, BATCHES[0]))
        run.train()
        texts = _written(int(given.rate * given.seconds) * len(BATCHES))
        for batch in BATCHES:
            run.write(configuration(bootstrap, given.database, batch))
            table.add_row(f"{batch:,}", *_measured(run, texts, given.rate, given.seconds))
    print(f"{given.rate:,} items/s, one worker")
    Console().print(table)


def _written(count: int) -> Iterator[tuple[bytes, bytes]]:
    """So many items as key and message, made beforehand: making them takes longer than sending them."""
    made = []
    for number, one in enumerate(TEXTS["clear"](count, SEED)):
        id_ = f"{SEED}-{number}"
        value = json.dumps({"id": id_, "text": one.text, "metadata": {"truth": one.truth}})
        made.append((id_.encode(), value.encode()))
    return iter(made)


def _measured(run: Run, texts: Iterator[tuple[bytes, bytes]], rate: int, seconds: float) -> list[str]:
    """A row of the table."""
    before, count, log = _ends(run.bootstrap), int(rate * seconds), run.folder / "run.log"
    told = log.stat().st_size
    stored = run.number("SELECT count(*) FROM items")
    worker = run.start("run")
    try:
        run.wait(lambda: b"kafka_partitions_placed" in log.read_bytes()[told:], "partitions")
        _send(run.bootstrap, islice(texts, count), rate)
        run.wait(lambda: run.number("SELECT count(*) FROM items") >= stored + count, "items")
        run.wait(lambda: run.number("SELECT count(*) FROM outbox") == 0, "the outbox to be empty")
    finally:
        run.end(worker)
    items, labels = (_timestamps(run.bootstrap, TOPICS[name], before[name]) for name in ("items", "labels"))
    warm = min(items.values()) + WARM_SECONDS * 1_000
    counted = {id_: at for id_, at in items.items() if at > warm}
    waited = np.array([labels[id_] - at for id_, at in counted.items() if id_ in labels])
    figures = [f"{value:,.0f}" for value in (*np.percentile(waited, (50, 90, 99)), waited.max())]
    return [f"{len(waited):,}", *figures, f"{len(waited) / len(counted):.1%}"]


def _send(bootstrap: str, texts: Iterator[tuple[bytes, bytes]], rate: int) -> None:
    """Write them evenly. Raises RuntimeError if that took too long to be the rate."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, batch_size=131_072)
    sent, began = 0, time.perf_counter()
    try:
        while portion := list(islice(texts, round(rate * SLICE_SECONDS))):
            for number, (key, value) in enumerate(portion, start=sent):
                producer.send(TOPICS["items"], value, key=key, partition=number % PARTITIONS)
            sent += len(portion)
            time.sleep(max(0.0, began + sent / rate - time.perf_counter()))
        producer.flush()
    finally:
        producer.close()
    if (took := time.perf_counter() - began) > LATE * sent / rate:
        raise RuntimeError(f"the producer wrote {sent / took:,.0f} items/s, not {rate:,}: take a lower rate")


def _ends(bootstrap: str) -> dict[str, dict[TopicPartition, int]]:
    """Where topics of items and labels end now, by their names in the configuration."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return {
            name: dict(consumer.end_offsets(_partitions(consumer, TOPICS[name])))
            for name in ("items", "labels")
        }
    finally:
        consumer.close()


def _timestamps(bootstrap: str, topic: str, start: dict[TopicPartition, int]) -> dict[bytes, int]:
    """Key -> timestamp (ms) of its first message since `start`."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", max_poll_records=5_000
    )
    found: dict[bytes, int] = {}
    try:
        partitions = _partitions(consumer, topic)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, start[partition])
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for messages in consumer.poll(timeout_ms=500).values():
                for message in messages:
                    found.setdefault(message.key, message.timestamp)
    finally:
        consumer.close()
    return found


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]


if __name__ == "__main__":
    main()
