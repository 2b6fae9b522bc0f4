"""Publishing by one process at a time: the broker refuses whoever slept, by Kafka's transactional ids."""

from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, ProducerFencedError

from daemon.adapters.kafka.connection import open_client
from daemon.adapters.kafka.publisher import KafkaPublisher, deliver, producer_options
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import PublishFailed, SetupProblem
from daemon.core.wire import OutMessage

FORGET_SECONDS = 5.0
"""Patience with a producer that is let go of."""


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

    def claim(self, epoch: int) -> bool:
        """As FencedPublisher wants it."""
        if self._fenced is not None and self._claimed == epoch:
            return False
        self._let_go()
        try:
            self._fenced = _open_fenced(self._settings, self._id)
            self._fenced.init_transactions()
        except (KafkaError, SetupProblem) as error:
            self._let_go()
            raise PublishFailed(
                f"{self._settings.bootstrap} did not let us publish as {self._id!r} ({error!r}); are its"
                " transactions set up, and may we write under that transactional id?"
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
        try:
            self._fenced.begin_transaction()
            deliver(self._fenced, messages, self._settings)
            self._commit()
        except (PublishFailed, SetupProblem) as error:
            self._note(error)
            self._let_go()
            raise
        except KafkaError as error:
            self._let_go()
            who = "another process publishes now" if isinstance(error, ProducerFencedError) else str(error)
            raise PublishFailed(f"{len(messages)} messages were not committed: {who}") from error

    def close(self) -> None:
        """Disconnect."""
        self._let_go()
        super().close()

    def _commit(self) -> None:
        # kafka-python's own commit_transaction waits for ever for a broker that has gone.
        result = self._fenced._transaction_manager.begin_commit()
        self._fenced._sender.wakeup()
        if not result.wait(timeout_ms=round(self._settings.publish_seconds * 1000)):
            raise KafkaTimeoutError("the broker did not commit in time")

    def _let_go(self) -> None:
        """Drop the producer with all that it holds; the next claim makes the broker refuse the rest."""
        producer, self._fenced, self._claimed = self._fenced, None, None
        if producer is None:
            return
        producer._sender.force_close()
        producer._sender.join(FORGET_SECONDS)
        producer.close(timeout=0)


def _open_fenced(settings: KafkaSettings, transactional_id: str) -> Any:
    options = producer_options(settings)
    longest = round(1000 * max(60.0, 2 * settings.publish_seconds))
    return open_client(
        KafkaProducer, settings, transactional_id=transactional_id, transaction_timeout_ms=longest, **options
    )
