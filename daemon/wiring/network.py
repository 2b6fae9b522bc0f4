"""Small facts about this machine's network."""

import fcntl
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import TextIO
from urllib.request import ProxyHandler, build_opener

from daemon.adapters.starting import free_port, is_free
from daemon.core.errors import SetupProblem


class Ports:
    """Ports on loopback for servers that this process starts.

    A server takes seconds until it listens. Meanwhile a lock on a file keeps other processes of this program
    from choosing the same port; it is held until `release`, or until this process ends.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds the files; the system's folder for temporary files if None."""
        self._folder = folder or Path(tempfile.gettempdir())
        self._held: list[TextIO] = []

    def take(self, wanted: int) -> int:
        """`wanted` if nobody listens there or has taken it, else a port that is free."""
        return wanted if is_free(wanted) and self._lock(wanted) else free_port()

    def release(self) -> None:
        """Others may take the ports where nobody listens any more."""
        while self._held:
            self._held.pop().close()

    def _lock(self, port: int) -> bool:
        try:
            file = (self._folder / f"labelloop-port-{port}").open("w")
        except OSError:  # another user's
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held.append(file)
        return True


def wait_for_page(url: str, seconds: float, watch: Callable[[], None]) -> None:
    """Until a page answers; `watch` is called meanwhile and may raise what is the matter.

    Raises:
        SetupProblem: no answer in time.
    """
    direct = build_opener(ProxyHandler({}))  # it is here, whatever proxy leads to others
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with direct.open(url, timeout=2.0):
                return
        except (OSError, HTTPException):  # urllib's own errors are among the first
            pass
        watch()
        time.sleep(0.1)
    raise SetupProblem(f"{url} did not answer within {seconds:.0f} s")
