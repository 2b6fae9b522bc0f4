"""Waits until a server that was started answers."""

import time
from collections.abc import Callable

from daemon.core.errors import SetupProblem


def wait_until(
    ready: Callable[[], bool],
    alive: Callable[[], bool],
    deadline_seconds: float,
    pause_seconds: float,
    server: str,
    late: str,
) -> None:
    """Return when it is ready.

    Args:
        ready: whether it answers; asked every `pause_seconds`.
        alive: False once its process has ended.
        deadline_seconds: how long to wait.
        server: its name and address. late: what it fails to do in time; both for the message.

    Raises:
        SetupProblem: it ended, or was not ready in time.
    """
    until = time.monotonic() + deadline_seconds
    while not ready():
        if not alive():
            raise SetupProblem(f"{server} ended while starting")
        if time.monotonic() > until:
            raise SetupProblem(f"{server} {late} after {deadline_seconds:g} s")
        time.sleep(pause_seconds)
