"""Small facts about this machine's network."""

import socket
import time
from collections.abc import Callable

import httpx

from daemon.core.errors import SetupProblem


def free_port(wanted: int = 0) -> int:
    """`wanted` on loopback if it is free, else one that is."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
