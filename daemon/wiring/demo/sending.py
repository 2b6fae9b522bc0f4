"""Sends the demo's messages in a thread of its own."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.adapters.kafka.publisher import KafkaPublisher
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.wiring.demo.corpus import Message, as_record

CHUNK = 100
PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast messages are sent.

    Attributes:
        per_second: at most so many.
        ahead: at most so many more than are labeled; None for any number. A worker that lags reads one
            partition after the other, and messages far from each other would come together.
    """

    per_second: float
    ahead: int | None = None


class Sender:
    """Publishes all messages at a pace, until it is done or told to stop."""

    def __init__(
        self,
        messages: Sequence[Message],
        kafka: KafkaSettings,
        pace: Pace,
        stop: threading.Event,
        hold_at: int | None = None,
    ) -> None:
        """`hold_at`: after so many messages it waits for `go_on`; None: it never does."""
        self.sent = 0
        self._hold_at = hold_at
        self._labeled = 0
        self._messages = messages
        self._kafka = kafka
        self._pace = pace
        self._stop = stop
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def look(self, labeled: int) -> None:
        """Learn how many messages are labeled; raises what ended the thread."""
        self._labeled = labeled
        if self._error is not None:
            raise self._error

    def go_on(self) -> None:
        """Send what was held."""
        self._hold_at = None

    def join(self) -> None:
        """Wait a little for its end."""
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            self._error = error

    def _send(self) -> None:
        publisher = KafkaPublisher(self._kafka)
        topic = self._kafka.topics.items
        started = time.monotonic()
        try:
            while self.sent < len(self._messages) and not self._stop.is_set():
                chunk = self._messages[self.sent : self.sent + self._room()]
                publisher.send([as_record(message, topic, publisher) for message in chunk])
                self.sent += len(chunk)
                self._stop.wait(max(0.0, started + self.sent / self._pace.per_second - time.monotonic()))
                while self._too_far() and not self._stop.wait(PAUSE_SECONDS):
                    pass
                while not self._room() and not self._stop.wait(PAUSE_SECONDS):
                    started += PAUSE_SECONDS  # what was held is not caught up with
        finally:
            publisher.close()

    def _room(self) -> int:
        """Messages that may be sent at once; 0 while they are held."""
        hold_at = self._hold_at
        return CHUNK if hold_at is None else min(CHUNK, hold_at - self.sent)

    def _too_far(self) -> bool:
        return self._pace.ahead is not None and self.sent - self._labeled > self._pace.ahead
