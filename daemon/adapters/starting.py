"""What is needed to start servers of our own: a launcher, a port, and waiting until they answer."""

import os
import random
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from daemon.core.errors import SetupProblem

HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("launch.py")
SERVER_PORTS = range(20_000, 32_000)
"""Below those that Linux gives to whoever asks for any port, so that none is given away before a server,
which takes seconds to start, listens there."""
PORT_TRIES = 100


def with_parent(command: list[str]) -> list[str]:
    """The same command, ending with the process that calls this and spawns it."""
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command]


def free_port() -> int:
    """A port on loopback that nobody listens on now, drawn so that two callers hardly ever get the same.

    Raises:
        SetupProblem: none of a hundred drawn was free.
    """
    draw = random.SystemRandom()
    for _ in range(PORT_TRIES):
        if is_free(port := draw.choice(SERVER_PORTS)):
            return port
    raise SetupProblem(f"no port from {SERVER_PORTS.start} to {SERVER_PORTS.stop - 1} on {HOST} is free")


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


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
