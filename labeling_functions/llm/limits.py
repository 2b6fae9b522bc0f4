"""Keeps calls within an endpoint's limits: how many at once, how many and how many tokens a minute."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatModel,
    ChatReply,
    ChatRequest,
    ChatStoodStill,
    stood_still,
)
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import answer_tokens_at_most, prompt_tokens_at_most

WINDOW_SECONDS = 60.0
LOOK_SECONDS = 0.1
"""Waiting threads look this often whether they are to stop."""


@dataclass(slots=True)
class Entry:
    """One call in the window."""

    began: float
    tokens: int


@dataclass(slots=True)
class Window:
    """The calls of the last minute; they never exceed the limits within any 60 s.

    A call that alone has more tokens than a minute allows is let in when no other is in the window.

    Attributes:
        requests: calls a minute, None for no limit.
        tokens: tokens a minute, None for no limit.
    """

    requests: int | None = None
    tokens: int | None = None
    entries: deque[Entry] = field(default_factory=deque)

    def delay(self, now: float, tokens: int) -> float:
        """Seconds until a call with so many tokens may begin; 0 if it may now."""
        while self.entries and self.entries[0].began <= now - WINDOW_SECONDS:
            self.entries.popleft()
        calls, total = len(self.entries), sum(entry.tokens for entry in self.entries)
        free_at = now
        for entry in self.entries:
            if not self._full(calls, total, tokens):
                break
            free_at = entry.began + WINDOW_SECONDS
            calls, total = calls - 1, total - entry.tokens
        return free_at - now

    def _full(self, calls: int, total: int, tokens: int) -> bool:
        too_many = self.requests is not None and calls >= self.requests
        return too_many or (self.tokens is not None and total + tokens > self.tokens)

    def add(self, now: float, tokens: int) -> Entry:
        """A call begins."""
        entry = Entry(now, tokens)
        self.entries.append(entry)
        return entry


class Limits:
    """Lets calls in one by one; one object for all threads of a process that use an endpoint.

    Args:
        stop: ends every wait.
        clock: seconds that never go back.
        wait: blocks on the condition for at most so many seconds; tests move their clock in it.
    """

    def __init__(
        self,
        endpoint: EndpointSettings,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Condition, float], object] = threading.Condition.wait,
    ) -> None:
        self._free = endpoint.concurrency
        self._window = Window(endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self._changed = threading.Condition()
        self._stop = stop
        self._clock = clock
        self._wait = wait

    @contextmanager
    def place(self, tokens: int) -> Iterator[Entry]:
        """Wait for a place, and hold it. Correct the entry's tokens when the true number is known.

        Args:
            tokens: what the call may use at most.

        Raises:
            ChatBusy: asked to stop while waiting.
            ChatStoodStill: the process stood still while waiting.
        """
        with self._changed:
            entry = self._enter(tokens)
        try:
            yield entry
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _enter(self, tokens: int) -> Entry:
        while not self._stop.is_set():
            now = self._clock()
            delay = self._window.delay(now, tokens) if self._free else LOOK_SECONDS
            if delay <= 0:
                self._free -= 1
                return self._window.add(now, tokens)
            self._look_again(now, min(delay, LOOK_SECONDS))
        raise ChatBusy("stopped while waiting for a place among the calls; nothing was sent")

    def _look_again(self, now: float, seconds: float) -> None:
        self._wait(self._changed, seconds)
        if stood := stood_still(seconds, self._clock() - now):
            raise ChatStoodStill(f"stood still for {stood:.0f} s while waiting for a place; nothing was sent")


class Limited:
    """A model that is asked within limits."""

    def __init__(self, model: ChatModel, endpoint: EndpointSettings, limits: Limits) -> None:
        self._model = model
        self._endpoint = endpoint
        self._limits = limits

    def ask(self, request: ChatRequest) -> ChatReply:
        """As ChatModel's; blocks until the limits allow the call as well."""
        tokens = prompt_tokens_at_most(request, self._endpoint) + answer_tokens_at_most(request)
        with self._limits.place(tokens) as entry:
            reply = self._model.ask(request)
            entry.tokens = reply.tokens_in + reply.tokens_out
            return reply
