"""Reading given partitions from given positions, by librdkafka (package confluent-kafka)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from daemon.adapters.kafka.librdkafka import consumer_options
from daemon.adapters.kafka.positions import Place
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import SetupProblem
from daemon.core.wire import Record

REFUSED = (
    KafkaError._AUTO_OFFSET_RESET,
    KafkaError.OFFSET_OUT_OF_RANGE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.INCONSISTENT_TOPIC_ID,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
)
"""The position is not in its log, or the topic is gone or was made anew."""
AWAY = (
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError.REQUEST_TIMED_OUT,
)
"""Whoever is told of a broker that is away or refuses us hears it from the group as well, in words."""


class PositionRefused(Exception):
    """Where to read from must be found out anew: a position is not in its log, or the topic is another."""


class LogShortened(Exception):
    """A partition's log lost messages that were read from it.

    Attributes:
        partition: which.
    """

    def __init__(self, partition: int, words: str) -> None:
        super().__init__(words)
        self.partition = partition


class Fetcher:
    """Records of partitions that it is told to read; it is in no group, and commits nothing.

    Its own threads fetch ahead, `fetch_bytes` at most, without the interpreter; a record costs a quarter of
    the work that kafka-python has with it. A broker that is away is waited for in silence. One thread uses
    it.

    Raises SetupProblem: the password is not there.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._consumer: Any = Consumer(consumer_options(settings))
        self._topic = settings.topics.items
        self._held: set[int] = set()

    def read_from(self, places: Sequence[Place]) -> None:
        """From now on read these partitions, each from its position, and no more from where they were."""
        self.keep_only(self._held - {place.partition for place in places})
        wanted = [TopicPartition(place.topic, place.partition, place.position) for place in places]
        self._consumer.incremental_assign(wanted)
        self._held.update(place.partition for place in places)

    def keep_only(self, partitions: Collection[int]) -> None:
        """Read nothing more from any other partition."""
        if left := self._held.difference(partitions):
            self._consumer.incremental_unassign([TopicPartition(self._topic, number) for number in left])
            self._held.difference_update(left)

    def read(self, most: int, seconds: float) -> dict[int, list[Record]]:
        """Up to so many records that are there, by partition and in order; waits only for the first.

        After one of these errors what was read before is gone: it must be read again (`read_from`).

        Raises:
            PositionRefused, LogShortened.
            SetupProblem: the topic cannot be read, and trying again will not help.
        """
        first = self._consumer.poll(seconds)
        if first is None:
            return {}
        records: dict[int, list[Record]] = defaultdict(list)
        for message in (first, *self._consumer.consume(most - 1, 0)):
            if (error := message.error()) is None:
                records[message.partition()].append(_record(message))
            else:
                self._refuse(message, error)
        return records

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _refuse(self, message: Message, error: KafkaError) -> None:
        partition = message.partition()
        words = f"{self._topic}[{partition}]: {error.str()}"
        if error.code() in REFUSED:
            raise PositionRefused(words)
        if error.code() == KafkaError._LOG_TRUNCATION and partition is not None:
            raise LogShortened(partition, words)
        if error.code() not in AWAY:
            raise SetupProblem(f"topic {self._topic!r} cannot be read: {error.str()}")


def _record(message: Message) -> Record:
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.timestamp()[1],
    )
