"""Spares an endpoint that is out: after some failures in a row nobody asks it, but for a probe now and then.

The circuit breaker of Nygard, Release It! (2007).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labeling_functions.llm.chat_model import (
    ChatDown,
    ChatFailure,
    ChatModel,
    ChatReply,
    ChatRequest,
    ChatStoodStill,
    ChatUnknown,
)


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When it opens.

    Attributes:
        failures: calls in a row that found the endpoint out.
        open_seconds: before the first probe; doubled after each that fails.
        longest_seconds: between probes, at most.
    """

    failures: int = 5
    open_seconds: float = 15.0
    longest_seconds: float = 600.0


class Breaker:
    """State of one endpoint, shared by all threads: closed (asked), open (not asked), or with a probe out.

    An answer that never came counts like an endpoint that is down: a server that hangs would otherwise be
    paid for the longest answer again and again. Refusals and "busy" are answers: the endpoint lives.
    """

    def __init__(
        self, name: str, settings: BreakerSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._probing = False
        self._why = ""
        self._close()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Run one call; what it raises is raised.

        Raises:
            ChatDown: the breaker is open; nothing was sent.
        """
        probe = self._enter()
        try:
            yield
        except (ChatDown, ChatUnknown) as error:
            self._failed(probe, str(error))
            raise
        except ChatStoodStill:
            self._nothing_known(probe)
            raise
        except ChatFailure:
            self._lives()
            raise
        except BaseException:
            self._nothing_known(probe)
            raise
        self._lives()

    def _enter(self) -> bool:
        """True if this call is the probe."""
        with self._lock:
            if self._opened_for == 0:
                return False
            remaining = max(0.0, self._until - self._clock())
            if remaining > 0 or self._probing:
                raise ChatDown(
                    f"{self._name} is out ({self._why}) and is not asked; the next try is in"
                    f" {remaining:.0f} s",
                    retry_after=remaining or self._opened_for,
                )
            self._probing = True
            return True

    def _lives(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._in_a_row = 0
        self._opened_for = 0.0
        self._until = 0.0
        self._probing = False

    def _failed(self, probe: bool, why: str) -> None:
        with self._lock:
            self._in_a_row += 1
            self._why = why
            if probe:
                self._open(min(self._opened_for * 2, self._settings.longest_seconds))
            elif self._opened_for == 0 and self._in_a_row >= self._settings.failures:
                self._open(self._settings.open_seconds)

    def _open(self, seconds: float) -> None:
        self._opened_for = seconds
        self._until = self._clock() + seconds
        self._probing = False

    def _nothing_known(self, probe: bool) -> None:
        with self._lock:
            self._probing = self._probing and not probe


class Guarded:
    """A model that is not asked while its endpoint is out."""

    def __init__(self, model: ChatModel, breaker: Breaker) -> None:
        self._model = model
        self._breaker = breaker

    def ask(self, request: ChatRequest) -> ChatReply:
        """As ChatModel's; ChatDown at once while the breaker is open."""
        with self._breaker.watched():
            return self._model.ask(request)
