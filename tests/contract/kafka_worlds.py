"""The two things behind the Kafka ports, made to look alike for the contract: in memory and a broker."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kafka_fixtures import KafkaForTests, wait_until

from daemon.adapters.kafka.fake import FakeKafka, FakePublisher, FakeSource
from daemon.adapters.kafka.publisher import KafkaPublisher
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.kafka.source import KafkaSource
from daemon.core.ports import Locate, Publisher, Source
from daemon.core.wire import Batch, LogStart, Record, Span

Headers = tuple[tuple[str, bytes], ...]
Message = tuple[int, bytes | None, bytes | None, Headers]
"""Partition, key, value, headers."""


@dataclass
class Positions:
    """What the database does: keeps positions by topic id, and refuses spans that start elsewhere."""

    rows: dict[tuple[str, int], int] = field(default_factory=dict)
    asked: list[LogStart] = field(default_factory=list)

    def locate(self, starts: Sequence[LogStart]) -> list[int]:
        """Stored positions; new rows begin at the log's beginning."""
        self.asked += starts
        return [self.rows.setdefault((s.topic_id, s.partition), s.beginning) for s in starts]

    def save(self, spans: Sequence[Span]) -> None:
        """Move the positions; a span that does not start at one is an error of the source."""
        for span in spans:
            assert self.rows[span.topic_id, span.partition] == span.first
            self.rows[span.topic_id, span.partition] = span.next

    def move(self, position: int) -> None:
        """As if another worker had moved every partition there."""
        self.rows = dict.fromkeys(self.rows, position)


class World(Protocol):
    """A broker with one items topic, seen from outside."""

    topic: str
    exact: bool

    def produce(
        self,
        values: Sequence[bytes | None],
        partition: int = 0,
        key: bytes | None = b"k",
        headers: Headers = (),
    ) -> None:
        """Append to the items topic."""

    def remake(self, partitions: int) -> None:
        """Delete the items topic and make it again."""

    def trim(self, beginning: int) -> None:
        """Delete from partition 0 what is before this offset."""

    def source(self, locate: Locate, batch_items: int = 256) -> Source:
        """A source on the items topic."""

    def publisher(self) -> Publisher:
        """A publisher."""

    def read(self, count: int) -> list[Message]:
        """The first messages of the items topic, in order within each partition."""


class MemoryWorld:
    """In memory."""

    exact = True

    def __init__(self, partitions: int) -> None:
        self.kafka = FakeKafka()
        self.topic = "items"
        self.kafka.create(self.topic, partitions)

    def produce(
        self,
        values: Sequence[bytes | None],
        partition: int = 0,
        key: bytes | None = b"k",
        headers: Headers = (),
    ) -> None:
        for value in values:
            self.kafka.produce(self.topic, partition, value, key, headers)

    def remake(self, partitions: int) -> None:
        self.kafka.create(self.topic, partitions)

    def trim(self, beginning: int) -> None:
        self.kafka.trim(self.topic, 0, beginning)

    def source(self, locate: Locate, batch_items: int = 256) -> Source:
        return FakeSource(self.kafka, self.topic, locate, batch_items=batch_items)

    def publisher(self) -> Publisher:
        return FakePublisher(self.kafka)

    def read(self, count: int) -> list[Message]:
        logs = self.kafka.topics[self.topic].partitions
        found = [(r.partition, r.key, r.value, log.headers[r.offset]) for log in logs for r in log.records]
        assert len(found) >= count
        return found


class BrokerWorld:
    """On a real broker."""

    def __init__(self, kafka: KafkaForTests, partitions: int) -> None:
        self.kafka = kafka
        self.exact = kafka.is_apache
        self.settings: KafkaSettings = kafka.settings_with_topic(partitions)
        self.topic = self.settings.topics.items
        self.opened: list[Source | Publisher] = []

    def produce(
        self,
        values: Sequence[bytes | None],
        partition: int = 0,
        key: bytes | None = b"k",
        headers: Headers = (),
    ) -> None:
        self.kafka.produce(self.topic, values, partition=partition, key=key, headers=headers)

    def remake(self, partitions: int) -> None:
        self.kafka.admin.delete_topics([self.topic])
        wait_until(lambda: self.topic not in self.kafka.admin.list_topics(), what="the topic's end")
        self.kafka.create(self.topic, partitions)

    def trim(self, beginning: int) -> None:
        from kafka import TopicPartition

        self.kafka.admin.delete_records({TopicPartition(self.topic, 0): beginning})

    def source(self, locate: Locate, batch_items: int = 256) -> Source:
        made = KafkaSource(self.settings, locate, end_offsets_exact=self.exact, batch_items=batch_items)
        self.opened.append(made)
        return made

    def publisher(self) -> Publisher:
        made = KafkaPublisher(self.settings)
        self.opened.append(made)
        return made

    def read(self, count: int) -> list[Message]:
        found = self.kafka.read_all(self.topic, lambda read: len(read) >= count)
        return [(r.partition, r.key, r.value, tuple(r.headers)) for r in found]

    def close(self) -> None:
        for client in self.opened:
            client.close()


def take(source: Source, count: int, positions: Positions | None = None) -> list[Record]:
    """Poll until so many records came; each batch is saved if positions are given."""
    read: list[Record] = []

    def enough() -> bool:
        batch = poll_some(source)
        read.extend(batch.records)
        if positions is not None:
            positions.save(batch.spans)
        return len(read) >= count

    wait_until(enough, what=f"{count} records")
    return read


def poll_some(source: Source) -> Batch:
    """The next batch that is not empty."""
    found: Callable[[], Batch | None] = lambda: next((b for b in [source.poll()] if b.records), None)  # noqa: E731
    batch: Batch = wait_until(found, what="a batch")
    return batch


def unknown_name() -> str:
    """A topic that nobody made."""
    return f"missing-{uuid.uuid4().hex[:12]}"
