"""What the one who publishes needs of Kafka so that nobody who slept publishes after it."""

from typing import Protocol

from daemon.core.ports import Publisher


class FencedPublisher(Publisher, Protocol):
    """A publisher of which one at a time is heard: `send` of all others fails, whenever they wake."""

    def claim(self, epoch: int) -> bool:
        """Shut out whoever claimed before. True if that was done now: then see that the duty is still held.

        Without that look, somebody who slept before its claim would shut out its successor and publish what
        that one has replaced. Messages may be sent until somebody else claims, or sending fails.

        Args:
            epoch: of the duty; nothing happens if it was claimed for already.

        Raises:
            PublishFailed: the broker does not answer; nobody was shut out, or everybody.
        """
