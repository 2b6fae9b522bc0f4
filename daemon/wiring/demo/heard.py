"""What a reader of topic `labels` hears."""

import time
from dataclasses import dataclass, field

import msgspec
from kafka import KafkaConsumer, TopicPartition

from daemon.adapters.kafka.connection import open_client
from daemon.adapters.kafka.settings import KafkaSettings

QUIET_SECONDS = 2.0


class CertificateMessage(msgspec.Struct):
    """The window that released a label."""

    window: int


class LabelMessage(msgspec.Struct):
    """What is read of a label."""

    item: str
    revision: int
    label: str
    status: str
    bundle: int | None = None
    certificate: CertificateMessage | None = None


_message = msgspec.json.Decoder(LabelMessage)


@dataclass
class Heard:
    """Labels by item id, whatever the order in which they came, and however often.

    Attributes:
        labels: the current ones, of the highest revision. first: the lowest.
        certified: window -> item -> label that it released.
    """

    labels: dict[str, LabelMessage] = field(default_factory=dict)
    first: dict[str, LabelMessage] = field(default_factory=dict)
    certified: dict[int, dict[str, str]] = field(default_factory=dict)

    def take(self, message: LabelMessage) -> None:
        """One message."""
        known, first = self.labels.get(message.item), self.first.get(message.item)
        if known is None or known.revision < message.revision:
            self.labels[message.item] = message
        if first is None or first.revision > message.revision:
            self.first[message.item] = message
        if message.certificate is not None:
            self.certified.setdefault(message.certificate.window, {})[message.item] = message.label


def read_labels(settings: KafkaSettings, seconds: float = 60.0) -> Heard:
    """Everything on topic `labels`. Raises SetupProblem if no broker answers."""
    topic = settings.topics.labels
    consumer = open_client(
        KafkaConsumer, settings, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        partitions = consumer.partitions_for_topic(topic) or set()
        consumer.assign([TopicPartition(topic, number) for number in sorted(partitions)])
        consumer.seek_to_beginning()
        return _drain(consumer, seconds)
    finally:
        consumer.close()


def _drain(consumer: KafkaConsumer, seconds: float) -> Heard:
    """Read until nothing comes for a while: the embedded broker's end offsets cannot be trusted."""
    heard = Heard()
    deadline = time.monotonic() + seconds
    last = time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - last < QUIET_SECONDS:
        for records in consumer.poll(timeout_ms=200).values():
            last = time.monotonic()
            for record in records:
                heard.take(_message.decode(record.value))
    return heard
