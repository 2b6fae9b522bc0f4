"""Traces in memory, for tests of what keeps and reads them; it keeps the contract of the real ones."""

import random
import threading
from collections.abc import Callable

from daemon.adapters import otlp
from daemon.core.errors import TracesUnavailable
from daemon.core.traces import Trace


class FakeTraces:
    """Both `TraceLog` and `TracePages`. Set `down` to lose and hide everything, as an outage would.

    Attributes:
        kept: id -> trace.
    """

    def __init__(self, share: float = 1.0, chance: Callable[[], float] = random.random) -> None:
        self.down = False
        self.kept: dict[str, Trace] = {}
        self._share = share
        self._chance = chance
        self._closed = False
        self._dropped = 0
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """Traces that were kept here and will never be seen there."""
        with self._lock:
            return self._dropped

    def begin(self) -> str | None:
        """Id of a new trace; None if this asking is not one of the share that is kept."""
        return otlp.new_id() if self._chance() < self._share else None

    def keep(self, trace: Trace) -> None:
        """Keep it, unless it is closed or down."""
        with self._lock:
            if self._closed or self.down:
                self._dropped += 1
            else:
                self.kept[trace.id] = trace

    def close(self, seconds: float) -> None:  # noqa: ARG002 - nothing waits here
        """Nothing is kept afterwards."""
        with self._lock:
            self._closed = True

    def address(self, trace: str) -> str | None:
        """Address of its page; None if there is no such trace. Raises TracesUnavailable while `down`."""
        if self.down:
            raise TracesUnavailable("traces are down")
        return f"memory:{trace}" if trace in self.kept else None
