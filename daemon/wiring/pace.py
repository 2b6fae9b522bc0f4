"""How fast a process beside the stream works: freely while a core is free, else with a share of one.

Niceness alone does not keep it from being felt. Linux takes a core that runs a niced process for a busy one,
so that whoever wakes up waits for another core instead: two processes that ask each other by turns, each with
a core of its own, went at .62 of their rate beside one of niceness 15 that never rested. SCHED_IDLE would
have the core count as free, but leaves nothing to the process where all cores are wanted.
"""

import signal
import time
from collections.abc import Callable

import psutil

SHARE = 0.3
"""Of one core, while no core is free."""
WORK_SECONDS = 0.1
"""Of the processor, between two looks."""
FREE_CORE = 0.9
"""Idle cores, while the process rests, with which one counts as free."""
FREE_SECONDS = 1.0
"""Of the processor, until it rests to see whether a core is still free."""
REST_SECONDS = 0.1
"""At least: the system counts in hundredths of a second."""


def idle_seconds() -> float:
    """Seconds in which the machine's cores had nothing to do so far, summed up."""
    return float(psutil.cpu_times().idle)


class Pace:
    """Has the main thread of this process sleep when it is due, between two steps of Python.

    A process that gets less than its share, because others want the cores, does not rest.
    """

    def __init__(self, idle: Callable[[], float] = idle_seconds) -> None:
        """`idle` gives idle seconds of all cores, summed up."""
        self._idle = idle
        self._free = False
        self._begin()

    def keep(self) -> None:
        """From now on; for the main thread. Takes SIGPROF and its timer."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, WORK_SECONDS, WORK_SECONDS)

    def _begin(self) -> None:
        self._began, self._used = time.monotonic(), time.process_time()

    def _look(self, *_: object) -> None:
        used, passed = time.process_time() - self._used, time.monotonic() - self._began
        if self._free and used < FREE_SECONDS:
            return
        rest = REST_SECONDS if self._free else used / SHARE - passed
        self._free = rest > 0 and self._idle_cores(max(rest, REST_SECONDS)) >= FREE_CORE
        self._begin()

    def _idle_cores(self, seconds: float) -> float:
        """While it rests for so long."""
        idle, began = self._idle(), time.monotonic()
        time.sleep(seconds)
        return (self._idle() - idle) / (time.monotonic() - began)
