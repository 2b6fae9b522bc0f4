"""Figures that are costly to work out, kept for a while: the costlier, the longer."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LEISURE = 10
"""A figure is kept for this many times as long as working it out took."""
CHEAP_SECONDS = 0.02
"""What is had faster than this is worked out anew each time."""


class Rested(Generic[T]):
    """The last result of a computation, until it is due again. Not thread-safe."""

    def __init__(self, compute: Callable[..., T], clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds; tests move it."""
        self._compute = compute
        self._clock = clock
        self._kept: T | None = None
        self._good_until = float("-inf")

    def get(self, *given: object) -> T:
        """The result for what is given now, or the kept one whatever was given then."""
        started = self._clock()
        if self._kept is None or started >= self._good_until:
            self._kept = self._compute(*given)
            ended = self._clock()
            spent = ended - started
            self._good_until = ended + LEISURE * spent if spent > CHEAP_SECONDS else float("-inf")
        return self._kept
