"""Kafka in memory, for tests: the same ports, one process, no groups; the test calls for rebalances."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon.adapters.kafka.partitioning import partitions_of
from daemon.adapters.kafka.positions import Place, batch_of, outside_log, placed
from daemon.adapters.kafka.publisher import MessageTooLarge
from daemon.core.errors import PublishFailed, SetupProblem
from daemon.core.ports import Locate
from daemon.core.wire import Batch, LogStart, OutMessage, ReaderStanding, Record, Span

EMPTY = Batch((), ())


@dataclass(slots=True)
class FakePartition:
    """A log: records with rising offsets, perhaps with gaps; `beginning` to `end - 1`."""

    records: list[Record] = field(default_factory=list)
    headers: dict[int, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)
    beginning: int = 0
    end: int = 0


@dataclass(slots=True)
class FakeTopic:
    """A topic and the id that no other topic ever has."""

    id: str
    partitions: list[FakePartition]


class FakeKafka:
    """A broker in memory.

    Attributes:
        topics: by name.
        reachable: set to False for an outage: nothing is read, publishing fails.
        commits: (topic, partition) -> last committed offset.
        publisher: who claimed last; the others that claimed are refused.
    """

    def __init__(self, max_message_bytes: int = 1_000_000) -> None:
        self.topics: dict[str, FakeTopic] = {}
        self.reachable = True
        self.commits: dict[tuple[str, int], int] = {}
        self.publisher: object = None
        self.max_message_bytes = max_message_bytes

    def create(self, topic: str, partitions: int = 1) -> None:
        """Make a topic; under an old name it replaces that topic and has a new id."""
        self.topics[topic] = FakeTopic(str(uuid.uuid4()), [FakePartition() for _ in range(partitions)])

    def produce(
        self,
        topic: str,
        partition: int,
        value: bytes | None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> int:
        """Append one message; its offset."""
        log = self.topics[topic].partitions[partition]
        offset = log.end
        log.records.append(Record(topic, partition, offset, key, value, time.time_ns() // 1_000_000))
        log.headers[offset] = tuple(headers)
        log.end += 1
        return offset

    def skip(self, topic: str, partition: int, offsets: int) -> None:
        """Leave a gap, as transactions and compaction do."""
        self.topics[topic].partitions[partition].end += offsets

    def trim(self, topic: str, partition: int, beginning: int) -> None:
        """Delete what is before `beginning`, as retention does."""
        log = self.topics[topic].partitions[partition]
        log.beginning = beginning
        log.end = max(log.end, beginning)
        log.records = [record for record in log.records if record.offset >= beginning]


class FakeSource:
    """Port Source on a FakeKafka; starts with every partition, as the only member of its group would."""

    def __init__(self, kafka: FakeKafka, topic: str, locate: Locate, *, batch_items: int = 256) -> None:
        if topic not in kafka.topics:
            raise SetupProblem(f"kafka.topics.items: topic {topic!r} does not exist")
        self._kafka = kafka
        self._topic = topic
        self._locate = locate
        self._batch_items = batch_items
        self._places: dict[int, Place] = {}
        self._unplaced: set[int] = set()
        self.rebalance(range(len(kafka.topics[topic].partitions)))

    def rebalance(self, partitions: Sequence[int]) -> None:
        """What a rebalance does: these and no others are ours from now on, wherever they were."""
        self._places = {}
        self._unplaced = set(partitions)

    def poll(self) -> Batch:
        """Next records, partition after partition; empty at the logs' ends. Raises PositionOutsideLog."""
        if not self._kafka.reachable:
            return EMPTY
        self._place()
        records: dict[int, list[Record]] = {}
        room = self._batch_items
        for partition, place in self._places.items():
            found = self._after(place)[:room]
            if found:
                records[partition] = found
                room -= len(found)
        return batch_of(records, self._places) if records else EMPTY

    def at_most(self, items: int) -> None:
        """No batch has more records from now on."""
        self._batch_items = items

    def keep_alive(self) -> None:
        """Nothing to do: nobody else is in the group."""

    def rewind(self) -> None:
        """Let the next poll seek every assigned partition to its stored position."""
        self.rebalance(sorted(self._places.keys() | self._unplaced))

    def saved(self, spans: Sequence[Span]) -> None:
        """Note what is done in the broker's `commits`; refused while it is not reachable."""
        if self._kafka.reachable:
            self._kafka.commits.update({(span.topic, span.partition): span.next for span in spans})

    def lag(self) -> int | None:
        """Messages after the last one delivered; None during an outage."""
        if not self._kafka.reachable:
            return None
        logs = self._kafka.topics[self._topic].partitions
        return sum(max(0, logs[number].end - place.position) for number, place in self._places.items())

    def standing(self) -> ReaderStanding:
        """How it stands."""
        joined = bool(self._places or self._unplaced)
        return ReaderStanding(self._kafka.reachable, joined, len(self._places), len(self._unplaced))

    def close(self) -> None:
        """Give all partitions back."""
        self.rebalance(())

    def _place(self) -> None:
        topic = self._kafka.topics[self._topic]
        starts = [
            LogStart(topic.id, self._topic, n, topic.partitions[n].beginning) for n in sorted(self._unplaced)
        ]
        if not starts:
            return
        ends = {number: topic.partitions[number].end for number in self._unplaced}
        self._places |= {place.partition: place for place in placed(starts, self._locate(starts), ends)}
        self._unplaced.clear()

    def _after(self, place: Place) -> list[Record]:
        log = self._kafka.topics[self._topic].partitions[place.partition]
        if not log.beginning <= place.position <= log.end:
            raise outside_log(place.topic, place.partition, place.position, log.beginning, log.end)
        return [record for record in log.records if record.offset >= place.position]


class FakePublisher:
    """Ports Publisher and FencedPublisher on a FakeKafka."""

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._claimed: int | None = None

    def claim(self, epoch: int) -> bool:
        """As the real one: from now on the others that claimed are refused."""
        if not self._kafka.reachable:
            raise PublishFailed("the broker is not reachable")
        if self._claimed == epoch:
            return False
        self._claimed = epoch
        self._kafka.publisher = self
        return True

    def partitions(self, topic: str, keys: Sequence[bytes]) -> list[int]:
        """As the real one. Raises PublishFailed if there is no such topic."""
        if topic not in self._kafka.topics:
            raise PublishFailed(f"topic {topic!r} was not found")
        return partitions_of(keys, len(self._kafka.topics[topic].partitions))

    def send(self, messages: Sequence[OutMessage]) -> None:
        """Append in order. Raises MessageTooLarge and PublishFailed; then nothing was published."""
        if not self._kafka.reachable:
            raise PublishFailed("the broker is not reachable")
        if self._claimed is not None and self._kafka.publisher is not self:
            self._claimed = None
            raise PublishFailed("another process publishes now")
        for message in messages:
            if message.topic not in self._kafka.topics:
                raise PublishFailed(f"topic {message.topic!r} was not found")
            if len(message.value) > self._kafka.max_message_bytes:
                raise MessageTooLarge(f"topic {message.topic!r}, key {message.key!r}: too large")
            if not 0 <= message.partition < len(self._kafka.topics[message.topic].partitions):
                raise PublishFailed(f"topic {message.topic!r} has no partition {message.partition}")
        for message in messages:
            self._kafka.produce(message.topic, message.partition, message.value, message.key, message.headers)

    def close(self) -> None:
        """Nothing to do."""
