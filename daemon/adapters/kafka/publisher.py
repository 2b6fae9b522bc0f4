"""Publishing in order, acknowledged by all in-sync replicas."""

import importlib.util
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from daemon.adapters.kafka.connection import open_client
from daemon.adapters.kafka.partitioning import partitions_of
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import PublishFailed, SetupProblem
from daemon.core.wire import OutMessage

OVERHEAD_BYTES = 128
"""What a record batch adds to a single message, at most, without its headers."""
OVERHEAD_PER_HEADER = 10
BATCH_BYTES = 131_072
"""Messages that go to a partition together, before compression."""
GRACE_SECONDS = 5.0
"""How much later than its delivery timeout a producer may notice that a message expired."""


class MessageTooLarge(SetupProblem):
    """A message is larger than the settings or the topic allow; trying again cannot help."""


class KafkaPublisher:
    """Port Publisher on kafka-python: idempotent, acks=all, partitions given by the caller.

    Raises SetupProblem if no broker answers at the start.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: Any = _open_producer(settings)
        self._partitions: dict[str, int] = {}

    def partitions(self, topic: str, keys: Sequence[bytes]) -> list[int]:
        """Partition of each key, as Kafka's own clients choose it.

        The number of partitions is asked for once: partitions added later are used after a restart, so
        that one key stays in one partition meanwhile. Raises PublishFailed if the topic cannot be found.
        """
        if topic not in self._partitions:
            self._partitions[topic] = self._count(topic)
        return partitions_of(keys, self._partitions[topic])

    def send(self, messages: Sequence[OutMessage]) -> None:
        """Publish in order within topic and partition; returns when all are acknowledged.

        Raises:
            MessageTooLarge: nothing was sent if the size was seen here, else as for PublishFailed.
            PublishFailed: some may have been published, none will be published any more.
        """
        for message in messages:
            self._refuse_oversized(message)
        producer = self._open()
        try:
            _deliver(producer, messages, self._settings)
        except (MessageTooLarge, PublishFailed) as error:
            self._note(error)
            self._forget()
            raise

    def close(self) -> None:
        """Flush and disconnect."""
        if self._producer is not None:
            self._producer.close(timeout=self._settings.publish_seconds)
            self._producer = None

    def _note(self, error: Exception) -> None:
        if isinstance(error.__cause__, ValueError):  # no such partition: the topic is not what it was
            self._partitions.clear()

    def _open(self) -> Any:
        if self._producer is None:
            try:
                self._producer = _open_producer(self._settings)
            except SetupProblem as error:
                raise PublishFailed(str(error)) from error
        return self._producer

    def _forget(self) -> None:
        """Let go of the producer; what it still holds must not come after what is sent next.

        Closing waits until all of it was acknowledged or has expired. On a dead connection kafka-python
        3.0.12 may wait for batches that never expire: then its sender is told to drop them. A sender that
        does not come to an end even so raises, which ends the process.
        """
        producer, self._producer = self._producer, None
        patience = self._settings.publish_seconds + GRACE_SECONDS
        try:
            producer.close(timeout=patience)
        except KafkaTimeoutError:
            sender = producer._sender
            sender.force_close()
            sender.join(patience)
            if sender.is_alive():
                raise
            producer.close(timeout=0)

    def _count(self, topic: str) -> int:
        try:
            partitions = self._open().partitions_for(topic)
        except KafkaError as error:
            raise PublishFailed(
                f"topic {topic!r} was not found at {self._settings.bootstrap}: {error}"
            ) from error
        return len(partitions)

    def _refuse_oversized(self, message: OutMessage) -> None:
        size = len(message.value) + len(message.key or b"") + OVERHEAD_BYTES
        if message.headers:  # dead letters alone have some
            size += sum(len(name) + len(value) + OVERHEAD_PER_HEADER for name, value in message.headers)
        if size > self._settings.max_request_bytes:
            raise MessageTooLarge(
                f"topic {message.topic!r}, key {message.key!r}: about {size} bytes are more than"
                f" kafka.max_request_bytes ({self._settings.max_request_bytes})"
            )


def _deliver(producer: Any, messages: Sequence[OutMessage], settings: KafkaSettings) -> None:
    """Send in order and wait for all acknowledgements. Raises as `KafkaPublisher.send`."""
    try:
        pending = [
            producer.send(m.topic, value=m.value, key=m.key, headers=list(m.headers), partition=m.partition)
            for m in messages
        ]
        producer.flush(settings.publish_seconds + GRACE_SECONDS)
        for future in pending:
            future.get(0)
    except MessageSizeTooLargeError as error:
        raise MessageTooLarge(f"a topic's max.message.bytes refuses a message ({error})") from error
    except (KafkaError, ValueError) as error:
        raise PublishFailed(
            f"{len(messages)} messages were not all acknowledged by {settings.bootstrap}: {error}"
        ) from error


def _producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """How producers send: idempotent, acknowledged by all in-sync replicas, given up after a while."""
    return {
        "enable_idempotence": True,
        "acks": "all",
        "compression_type": "lz4" if importlib.util.find_spec("lz4") else None,
        "allow_auto_create_topics": False,
        "linger_ms": 5,
        "batch_size": BATCH_BYTES,
        "max_request_size": settings.max_request_bytes,
        "max_block_ms": settings.topic_ms,
        "delivery_timeout_ms": settings.publish_ms,
        "request_timeout_ms": settings.request_ms,
    }


def _open_producer(settings: KafkaSettings) -> Any:
    return open_client(KafkaProducer, settings, **_producer_options(settings))
