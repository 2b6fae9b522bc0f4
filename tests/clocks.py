"""Time for tests that let hours pass."""

import time

from daemon.adapters.store.engine import MovableClock

DAY_SECONDS = 86_400


def at_noon(clock: MovableClock) -> MovableClock:
    """The clock, not moved yet, at noon (UTC): hours later it is the same day, with the same budget."""
    clock.advance(DAY_SECONDS / 2 - time.time() % DAY_SECONDS)
    return clock
