"""A process that keeps its pace uses a share of a core while none is free, and nearly a whole one else."""

import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest
from children import in_a_child

from daemon.wiring import pace
from daemon.wiring.pace import SHARE, Pace

WORK_SECONDS = 1.5


def test_with_no_core_free_it_takes_its_share_at_most() -> None:
    used, passed, _ = in_a_child(_beside_busy_cores)
    assert used <= SHARE * passed + 2 * pace.WORK_SECONDS


def test_with_a_core_free_it_rests_only_to_look() -> None:
    used, _, rests = in_a_child(_beside_free_cores)
    assert 1 <= rests <= 2 + used / pace.FREE_SECONDS


def test_once_others_come_it_takes_its_share() -> None:
    used, passed, _ = in_a_child(_beside_cores_soon_busy)
    assert used <= SHARE * passed + pace.FREE_SECONDS + 2 * pace.WORK_SECONDS


def test_one_that_gets_less_than_its_share_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    rested: list[float] = []
    monkeypatch.setattr(pace.time, "sleep", rested.append)
    monkeypatch.setattr(pace.time, "monotonic", lambda: 10 * time.perf_counter())
    keeping = Pace(lambda: 0.0)
    until = time.process_time() + 0.02
    while time.process_time() < until:
        pass
    keeping._look()
    assert rested == []


def _beside_busy_cores(to: Connection) -> None:
    _work(lambda _: 0.0, to)


def _beside_free_cores(to: Connection) -> None:
    _work(lambda passed: 2 * passed, to)


def _beside_cores_soon_busy(to: Connection) -> None:
    _work(lambda passed: min(2 * passed, 0.5), to)


def _work(idle_after: Callable[[float], float], to: Connection) -> None:
    """Sends processor seconds, elapsed ones, and how often it rested."""
    began, looks = time.monotonic(), 0

    def idle() -> float:
        nonlocal looks
        looks += 1
        return idle_after(time.monotonic() - began)

    Pace(idle).keep()
    used = time.process_time()
    while time.process_time() - used < WORK_SECONDS:
        pass
    to.send((time.process_time() - used, time.monotonic() - began, looks // 2))
