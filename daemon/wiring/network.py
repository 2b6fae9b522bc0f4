"""Small facts about this machine's network."""

import socket
import time
from collections.abc import Callable

import httpx

from daemon.adapters.broker.process import HOST, free_port
from daemon.core.errors import SetupProblem


def port_or_free(wanted: int) -> int:
    """`wanted` on loopback if nobody listens there, else a port that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return free_port()
    return wanted


def wait_for_page(url: str, seconds: float, watch: Callable[[], None]) -> None:
    """Until a page answers; `watch` is called meanwhile and may raise what is the matter.

    Raises:
        SetupProblem: no answer in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2.0).is_success:
                return
        except httpx.TransportError:
            pass
        watch()
        time.sleep(0.1)
    raise SetupProblem(f"{url} did not answer within {seconds:.0f} s")
