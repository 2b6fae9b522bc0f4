"""What passes between the loop and Kafka, as plain data.

What there is one of for each message is a msgspec.Struct: a frozen dataclass takes several times as long to
make, and the worker makes many thousands of them a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


class Record(msgspec.Struct, frozen=True):
    """One message as it was read; `key` and `value` are raw bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    """Broker's time, milliseconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class LogStart:
    """The first offset that a partition still holds; where a topic seen for the first time begins."""

    topic_id: str
    topic: str
    partition: int
    beginning: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one partition: the stored position must be `first`, and becomes `next`."""

    topic_id: str
    topic: str
    partition: int
    first: int
    next: int


@dataclass(frozen=True, slots=True)
class LogStretch:
    """What one partition holds: offsets from `start` to before `end`."""

    topic: str
    topic_id: str
    partition: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Records polled together, and the stretches of the log that they cover."""

    records: Sequence[Record]
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class ReaderStanding:
    """How a reader of a topic stands.

    Attributes:
        reachable: whether the broker answered when it was last asked.
        joined: whether partitions were ever assigned, be it none of them.
        placed: partitions that are read. waiting: those that wait for their stored positions.
    """

    reachable: bool
    joined: bool
    placed: int
    waiting: int


class OutMessage(msgspec.Struct, frozen=True):
    """One message to be published, in order with all others of its topic and partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Messages of one transaction for one output partition; published in order of `seq`."""

    seq: int
    topic: str
    partition: int
    messages: Sequence[OutMessage]
