"""Ends what a run started if the run itself is killed, as `labelloop up` has it done for its own children."""

import subprocess
import sys
from pathlib import Path

from daemon.wiring import sweeper


class Sweeper:
    """A process that outlives this one, and kills every group that it was told of and not told to forget."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(sweeper.__file__))],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Kill this group, too."""
        self._groups.add(group)
        self._tell(group)

    def forget(self, group: int) -> None:
        """It has ended; its number may become somebody else's."""
        if group in self._groups:
            self._groups.remove(group)
            self._tell(-group)

    def close(self) -> None:
        """Everything has ended by itself."""
        for group in list(self._groups):
            self.forget(group)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _tell(self, number: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n".encode())
        self._process.stdin.flush()
