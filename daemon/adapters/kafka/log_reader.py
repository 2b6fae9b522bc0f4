"""Reading stretches of a topic in no group: nothing is committed, and no worker is disturbed."""

import time
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from daemon.adapters.kafka.connection import open_admin, open_client
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.kafka.topics import describe_with
from daemon.core.errors import PartAway, SetupProblem
from daemon.core.wire import LogStretch, Record

ASK_MS = 10_000
"""Patience with a broker that is asked for offsets."""

POLL_MS = 200

SILENCE_SECONDS = 3.0
"""A log whose broker has wrong end offsets ends where nothing comes for so long."""

STALL_SECONDS = 60.0
"""Nothing comes for so long from a log that has more: its broker is away."""


class LogReader:
    """Reads what a topic holds. One thread uses it.

    Raises:
        SetupProblem: no broker answers (a PartAway), or it refuses the login.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer = open_client(
            KafkaConsumer,
            settings,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            fetch_max_bytes=settings.fetch_bytes,
            max_partition_fetch_bytes=settings.partition_fetch_bytes,
        )

    def stretches(self, topic: str) -> list[LogStretch]:
        """What each partition holds now, by its number.

        Raises SetupProblem: the topic does not exist, or the broker does not answer (a PartAway).
        """
        admin = open_admin(self._settings)
        try:
            state = describe_with(admin, [topic])[0]
        except KafkaError as error:
            raise self._away(error) from error
        finally:
            admin.close()
        if state.problem:
            raise SetupProblem(f"replay: {state.problem}")
        partitions = [TopicPartition(topic, number) for number in range(state.partitions)]
        try:
            starts = self._consumer.beginning_offsets(partitions, timeout_ms=ASK_MS)
            ends = self._ends(partitions, starts)
        except KafkaError as error:
            raise self._away(error) from error
        return [LogStretch(topic, state.id, p.partition, starts[p], ends[p]) for p in partitions]

    def read(self, topic: str, partition: int, start: int, end: int) -> list[Record]:
        """Records with offsets from `start` to before `end`; transactions and compaction leave gaps.

        Raises SetupProblem: they are gone, or the broker does not answer (a PartAway).
        """
        place = TopicPartition(topic, partition)
        self._seek({place: start})
        records: list[Record] = []
        heard = time.monotonic()
        while self._position(place) < end:
            polled = self._poll().get(place, [])
            records += [_record(message) for message in polled if message.offset < end]
            if polled:
                heard = time.monotonic()
                if polled[-1].offset >= end - 1:
                    break
            elif time.monotonic() - heard > STALL_SECONDS:
                raise self._away(TimeoutError(f"nothing came for {STALL_SECONDS:g} s"))
        return records

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close(autocommit=False)

    def _ends(
        self, partitions: list[TopicPartition], starts: dict[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        if self._settings.end_offsets_exact:
            ends: dict[TopicPartition, int] = self._consumer.end_offsets(partitions, timeout_ms=ASK_MS)
            return ends
        return self._found_ends(starts)

    def _found_ends(self, starts: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Read to where nothing comes any more."""
        self._seek(starts)
        ends, heard = dict(starts), time.monotonic()
        while time.monotonic() - heard < SILENCE_SECONDS:
            for place, polled in self._poll().items():
                ends[place], heard = polled[-1].offset + 1, time.monotonic()
        return ends

    def _seek(self, offsets: dict[TopicPartition, int]) -> None:
        if self._consumer.assignment() != set(offsets):
            self._consumer.assign(list(offsets))
        for place, offset in offsets.items():
            self._consumer.seek(place, offset)

    def _position(self, place: TopicPartition) -> int:
        return int(self._consumer.position(place, timeout_ms=ASK_MS))

    def _poll(self) -> dict[TopicPartition, list[Any]]:
        try:
            polled: dict[TopicPartition, list[Any]] = self._consumer.poll(timeout_ms=POLL_MS)
        except OffsetOutOfRangeError as error:
            raise SetupProblem(
                f"replay: the topic does not hold the offset that is to be read ({error}): retention has "
                "overtaken the replay, or the topic was made anew; begin again"
            ) from error
        except KafkaError as error:
            if not error.retriable:
                raise
            return {}
        return {place: messages for place, messages in polled.items() if messages}

    def _away(self, error: Exception) -> PartAway:
        return PartAway(f"replay: the broker at {self._settings.bootstrap} does not answer ({error})")


def _record(message: Any) -> Record:
    return Record(
        message.topic, message.partition, message.offset, message.key, message.value, message.timestamp
    )
