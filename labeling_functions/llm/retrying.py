"""Asks again what failed in passing.

Waits are drawn evenly between 0 and a bound that doubles ("full jitter"; Brooker, Exponential Backoff And
Jitter, AWS Architecture Blog, 2015), so that many who failed together do not come back together.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatDown,
    ChatModel,
    ChatReply,
    ChatRequest,
    stood_still,
)


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """How stubborn.

    Attributes:
        attempts: calls made for one request, at most.
        first_seconds: bound of the first wait; doubled after each attempt.
        longest_seconds: of any wait. An endpoint that asks for a longer one is left alone: the failure is
            raised.
    """

    attempts: int = 5
    first_seconds: float = 0.5
    longest_seconds: float = 30.0


class Retrying:
    """A model that is asked again when it is busy or down; what was refused, or may have been paid, is not.

    An endpoint whose breaker is open is not waited for either: whoever asks has leases to give back, and
    others to ask, until then. Nor is anything asked again by a process that stood still while it waited: its
    leases may have ended, and others may be asking.

    Args:
        stop: once set, nothing is asked again.
        wait: blocks for so many seconds, or until it is to stop (then True). By default the event's own.
        draw: a number, evenly between 0 and 1. clock: seconds that never go back.
    """

    def __init__(
        self,
        model: ChatModel,
        settings: RetrySettings,
        stop: threading.Event,
        wait: Callable[[float], bool] | None = None,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._stop = stop
        self._settings = settings
        self._wait = wait or stop.wait
        self._draw = draw
        self._clock = clock

    def ask(self, request: ChatRequest) -> ChatReply:
        """As ChatModel's; raises the last failure when no attempt is left or it is to stop."""
        for attempt in range(self._settings.attempts - 1):
            try:
                return self._model.ask(request)
            except (ChatBusy, ChatDown) as failure:
                seconds = self._pause(attempt, failure)
                if seconds is None or self._stop.is_set() or self._is_over(seconds):
                    raise
        return self._model.ask(request)

    def _is_over(self, seconds: float) -> bool:
        """Wait for so long; whether nothing is to be asked again after it."""
        began = self._clock()
        return self._wait(seconds) or stood_still(seconds, self._clock() - began) > 0

    def _pause(self, attempt: int, failure: ChatBusy | ChatDown) -> float | None:
        """Seconds to wait, never less than the endpoint asks; None if too long, or if its breaker is open."""
        settings = self._settings
        jitter = self._draw() * min(settings.longest_seconds, settings.first_seconds * 2.0**attempt)
        asked = failure.retry_after
        if asked is None:
            return jitter
        if isinstance(failure, ChatDown) or asked > settings.longest_seconds:
            return None
        return asked + jitter
