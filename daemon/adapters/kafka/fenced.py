"""Publishing by one process at a time: the broker refuses whoever slept, by Kafka's transactional ids.

Through librdkafka (package confluent-kafka): its transactions are all public, and a message costs it a tenth
of the work that kafka-python has with it.
"""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from daemon.adapters.kafka.librdkafka import producer_options
from daemon.adapters.kafka.publisher import KafkaPublisher, MessageTooLarge
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import PublishFailed
from daemon.core.wire import OutMessage

FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
NO_PARTITION = (KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)
FULL_SECONDS = 0.05
"""Between looks at whether a full buffer has room."""


class FencedKafkaPublisher(KafkaPublisher):
    """Port FencedPublisher. Each `send` is a Kafka transaction.

    The transactional id belongs to the consumer group. Each claim makes the broker refuse, from then on,
    everything of those who claimed before, also what is on its way. Needs a broker with transactions (Kafka
    0.11), and where there are access rules the right to write under this id.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        super().__init__(settings)
        self._id = settings.publishing_id
        self._claimed: int | None = None
        self._fenced: Any = None
        self._refused: list[tuple[KafkaError, str]] = []

    def claim(self, epoch: int) -> bool:
        """As FencedPublisher wants it."""
        if self._fenced is not None and self._claimed == epoch:
            return False
        self._let_go()
        try:
            self._fenced = Producer(
                {
                    **producer_options(self._settings),
                    "transactional.id": self._id,
                    "on_delivery": self._delivered,
                }
            )
            self._fenced.init_transactions(self._settings.connect_seconds)
        except KafkaException as error:
            self._let_go()
            raise PublishFailed(
                f"{self._settings.bootstrap} did not let us publish as {self._id!r} ({_words(error)}); does "
                "it answer, are its transactions set up, and may we write under that transactional id?"
            ) from error
        self._claimed = epoch
        return True

    def send(self, messages: Sequence[OutMessage]) -> None:
        """Publish in order within topic and partition; returns when all are acknowledged and committed.

        Raises as KafkaPublisher, and PublishFailed when somebody else claimed meanwhile.
        """
        if self._fenced is None:
            raise PublishFailed("nobody claimed")
        for message in messages:
            self._refuse_oversized(message)
        self._refused = []
        try:
            self._fenced.begin_transaction()
            for message in messages:
                self._produce(message)
            self._fenced.commit_transaction(self._settings.publish_seconds)
        except KafkaException as error:
            self._let_go()
            raise self._explained(error, len(messages)) from error

    def close(self) -> None:
        """Disconnect."""
        self._let_go()
        super().close()

    def _produce(self, message: OutMessage) -> None:
        while True:
            try:
                self._fenced.produce(
                    message.topic,
                    message.value,
                    message.key,
                    message.partition,
                    headers=list(message.headers),
                )
            except BufferError:
                self._fenced.poll(FULL_SECONDS)
            else:
                return

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append((error, message.topic() or ""))

    def _explained(self, error: KafkaException, count: int) -> Exception:
        """Of several reasons the first: a refused message spoils the transaction, and all that follow it."""
        first, topic = self._refused[0] if self._refused else (error.args[0], "")
        if first.code() in TOO_LARGE:
            return MessageTooLarge(f"a topic's max.message.bytes refuses a message ({first.str()})")
        if first.code() in NO_PARTITION:  # the topic is not what it was
            self._partitions.clear()
            return PublishFailed(
                f"{count} messages were not committed: topic {topic!r} is not what it was ({first.str()}); if"
                " it is gone, make it, or start a worker again, which makes what is missing"
            )
        who = "another process publishes now" if first.code() in FENCED else first.str()
        return PublishFailed(f"{count} messages were not committed: {who}")

    def _let_go(self) -> None:
        """Drop the producer with all that it holds; the next claim makes the broker refuse the rest."""
        producer, self._fenced, self._claimed = self._fenced, None, None
        if producer is not None:
            producer.purge()


def _words(error: KafkaException) -> str:
    return str(error.args[0].str())
