"""What is sent to topic `items`: good messages, doubled, out of order, spoiled; all of it is recorded."""

import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Producer
from house import PARTITIONS, TOPICS
from kafka_fixtures import wait_until

CLASSES = ("ham", "spam")
SURE = ("hello friend, lunch {n}?", "win a prize now {n}")
DOUBTFUL_EVERY = 40
WRONG_EVERY = 100
"""Of the items that heuristics are sure of, one in so many is the other class."""
SPOILED = (b"{broken", b'{"id": "x", "text": "\xff\xfe"}', b"[1, 2]", b'{"id": 3, "text": "x"}', b"")
SHUFFLED = 40
"""Messages of so many neighbors are sent in any order."""


def truth(item: str) -> int:
    """The class of an item, by its id."""
    number = int(item.rpartition("-")[2])
    return (number + (number % WRONG_EVERY == 0)) % 2


def message(number: int) -> bytes:
    """What heuristics are sure of, or, now and then, what they say nothing about."""
    pattern = "maybe {n}" if number % DOUBTFUL_EVERY == 7 else SURE[number % 2]
    return json.dumps({"id": f"item-{number}", "text": pattern.format(n=number)}).encode()


def conflicting(number: int) -> bytes:
    """The same id with other content: a dead letter."""
    return json.dumps({"id": f"item-{number}", "text": f"something else {number}"}).encode()


@dataclass
class Feed:
    """Sends in a thread of its own until it is stopped; a broker that is away is waited for.

    Attributes:
        rate: messages a second. sent: good items so far. doubled: good messages sent twice.
        spoiled: place (partition, offset) of each message that must become a dead letter.
    """

    bootstrap: str
    chance: random.Random
    rate: float
    sent: int = 0
    doubled: int = 0
    spoiled: set[tuple[int, int]] = field(default_factory=set)
    failed: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": 600_000,
                "reconnect.backoff.max.ms": 1_000,
                "compression.type": "lz4",
                "log_level": 0,
            }
        )
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="feed")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and return when the broker has acknowledged everything."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Return when the broker has acknowledged everything."""
        wait_until(lambda: self._producer.flush(1.0) == 0, 120, "acknowledgements of what was sent")
        assert self.failed == []

    def burst(self, count: int) -> None:
        """So many good messages at once."""
        with self._lock:
            self._send_good(count)

    def storm(self, count: int) -> None:
        """So many messages that can never be labeled."""
        for number in range(count):
            self._send(SPOILED[number % len(SPOILED)], number % PARTITIONS, spoiled=True)

    def _work(self) -> None:
        began, due = time.monotonic(), 0.0
        while not self._stop.wait(0.02):
            wanted = int((time.monotonic() - began) * self.rate - due)
            if wanted >= SHUFFLED:
                due += wanted
                with self._lock:
                    self._send_good(wanted)

    def _send_good(self, count: int) -> None:
        numbers = list(range(self.sent, self.sent + count))
        for first in range(0, count, SHUFFLED):
            part = numbers[first : first + SHUFFLED]
            self.chance.shuffle(part)
            for number in part:
                self._send(message(number), number % PARTITIONS)
            self._trouble(part)
        self.sent += count

    def _trouble(self, numbers: Sequence[int]) -> None:
        """Something sent twice, also to another partition, something spoiled, or something contradicted."""
        kind = self.chance.random()
        number = numbers[0]
        if kind < 0.4:
            for again in numbers[:5]:
                self._send(message(again), self.chance.randrange(PARTITIONS))
                self.doubled += 1
        elif kind < 0.5:
            self._send(SPOILED[number % len(SPOILED)], number % PARTITIONS, spoiled=True)
        elif kind < 0.6:
            self._send(conflicting(number), number % PARTITIONS, spoiled=True)

    def _send(self, value: bytes, partition: int, spoiled: bool = False) -> None:
        def told(error: Any, delivered: Any) -> None:
            if error:
                self.failed.append(error)
            elif spoiled:
                self.spoiled.add((delivered.partition(), delivered.offset()))

        while True:
            try:
                self._producer.produce(TOPICS["items"], value, partition=partition, on_delivery=told)
            except BufferError:
                self._producer.poll(0.1)
                continue
            self._producer.poll(0)
            return
