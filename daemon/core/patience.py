"""How long to leave a language model alone after a failure, and how many calls to risk after a rest; pure."""

import time
from collections.abc import Callable

from daemon.core.errors import CapReached
from labeling_functions.llm.chat_model import ChatBusy, ChatDown, ChatRefused

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
"""A rest doubles with each failure in a row, within these."""

CAPPED_SECONDS = 10.0
"""Money may come back when calls under way turn out cheaper, and at midnight."""

RESTING = "resting: "
"""What a loop of `annotate` says that it does, before why, while it leaves alone what does not answer."""

REFUSALS = 5
"""Refusals in a row that say more about the endpoint, or how it is set up, than about items."""


class Patience:
    """State of one loop: working, or resting until a moment. For one thread.

    Attributes:
        why: what the loop rests for; empty while it works.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._failures = 0
        self._refusals = 0
        self._kind: type[Exception] | None = None
        self.why = ""

    @property
    def refuses_all(self) -> bool:
        """Whether so many requests were refused in a row that it is not for what they ask."""
        return self._refusals >= REFUSALS

    def allowed(self, most: int) -> int:
        """Calls that may be under way now: none while resting, one until a call after a rest went well."""
        if self._clock() < self._until:
            return 0
        return 1 if self.why else most

    def good(self) -> None:
        """A call went well."""
        self._failures = self._refusals = 0
        self._until = float("-inf")
        self.why, self._kind = "", None

    def bad(self, error: Exception) -> bool:
        """A call failed; whether this begins a rest, or one for another reason than before."""
        if isinstance(error, ChatRefused):
            self._refusals += 1
            if not self.refuses_all:
                return False
        begins = type(error) is not self._kind
        self.why, self._kind = _reason(error), type(error)
        if begins or self._clock() >= self._until:
            # Calls that were under way together fail together: they count as one failure.
            self._failures += 1
            self._until = self._clock() + self._seconds(error)
        return begins

    def _seconds(self, error: Exception) -> float:
        if isinstance(error, CapReached):
            return CAPPED_SECONDS
        grown = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self._failures - 1, 10))
        asked = error.retry_after if isinstance(error, ChatBusy | ChatDown) else None
        return grown if asked is None else max(asked, 0.0)


def _reason(error: Exception) -> str:
    return "no money left" if isinstance(error, CapReached) else f"{RESTING}{error}"
