"""A tree of processes that starts in order, is watched, and stops as a whole."""

import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from daemon.core.errors import PartAway, SetupProblem
from daemon.wiring import sweeper

log = logging.getLogger(__name__)

LOCK_FILE = "up.lock"
RESTARTS = 3
RESTART_SECONDS = 60.0
SETTLED_SECONDS = 30.0
"""Who ran for so long had everything that it needs; what does not answer afterwards is waited for."""
AWAY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Until a child is started again that ended because a part did not answer, the last ones for good."""


@dataclass(frozen=True, slots=True)
class Child:
    """How one process is run.

    Attributes:
        command, environment: as for subprocess; the environment is added to ours.
        ready: blocks until it serves, or raises; is given a function that tells whether the process lives.
            None if nobody waits for it.
        grace: seconds between SIGTERM and SIGKILL.
        restart: start it again when it ends by itself: at most three times a minute, and as long as it takes
            when a part that it needs went away.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[Callable[[], bool]], None] | None = None
    grace: float = 15.0
    restart: bool = True


class StateLock:
    """One `up` a state folder; held until the last process of a killed one is gone."""

    def __init__(self, folder: Path, seconds: float = 5.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file: IO[str] = (folder / LOCK_FILE).open("a+")
        deadline = time.monotonic() + seconds
        while not self._try():
            if time.monotonic() > deadline:
                self.file.close()
                raise SetupProblem(
                    f"{folder} is in use by another `labelloop up`; stop it, or use another state folder"
                )
            time.sleep(0.1)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let the next one in."""
        self.file.close()


class Supervisor:
    """Starts children, watches them, and ends them in the opposite order.

    Each child's output goes to a file of its own in `logs`. If this process is killed, a sweeper ends them.
    """

    def __init__(self, logs: Path, lock: StateLock) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._children: list[tuple[Child, subprocess.Popen[bytes]]] = []
        self._starts: dict[str, list[float]] = {}
        self._waiting: list[tuple[float, Child]] = []
        self._tries: dict[str, int] = {}
        self._sweeper = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(sweeper.__file__))],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[lock.file.fileno()],
        )

    def start(self, child: Child) -> None:
        """Start it without waiting for it to be ready."""
        with self.log_file(child.name).open("ab") as output:
            process = subprocess.Popen(
                child.command,
                env={**os.environ, **child.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tell_sweeper(process.pid)
        self._children.append((child, process))
        self._starts.setdefault(child.name, []).append(time.monotonic())
        log.info("%s started (process %d)", child.name, process.pid, extra={"action": "child_started"})

    def wait_ready(self) -> None:
        """Until every child that can say so is ready.

        Raises SetupProblem, with the end of the log, if one is not.
        """
        for child, process in self._children:
            if child.ready is None:
                continue
            try:
                child.ready(partial(_lives, process))
            except Exception as error:
                ended = f" (ended with {process.returncode})" if process.poll() is not None else ""
                raise SetupProblem(
                    f"{child.name} did not start{ended}: {error}\n{self._tail(child.name)}"
                ) from error

    def watch(self) -> None:
        """Look after the children once: start again what fell, or raise SetupProblem when that is no use."""
        self._start_waiting()
        for index, (child, process) in enumerate(self._children):
            code = process.poll()
            if code is None:
                continue
            self._children.pop(index)
            self._sweep_group(process)
            if self._wants_a_part(child, code):
                self._wait(child)
            elif self._may_restart(child, code):
                log.warning(
                    "%s ended with %s; starting it again", child.name, code, extra={"action": "restart"}
                )
                self.start(child)
            else:
                raise SetupProblem(f"{child.name} ended with {code}:\n{self._tail(child.name)}")
            return

    def _wants_a_part(self, child: Child, code: int) -> bool:
        had_all = self._had_settled(child) or len(self._starts[child.name]) > 1
        return child.restart and code == PartAway.exit_code and had_all

    def _had_settled(self, child: Child) -> bool:
        return time.monotonic() - self._starts[child.name][-1] >= SETTLED_SECONDS

    def _wait(self, child: Child) -> None:
        tries = 0 if self._had_settled(child) else self._tries.get(child.name, 0)
        self._tries[child.name] = tries + 1
        seconds = AWAY_SECONDS[min(tries, len(AWAY_SECONDS) - 1)]
        self._waiting.append((time.monotonic() + seconds, child))
        level = logging.INFO if tries else logging.WARNING
        log.log(
            level,
            "%s waits for a part that does not answer, and tries again in %g s: %s",
            child.name,
            seconds,
            self._tail(child.name, 1).strip(),
            extra={"action": "part_away"},
        )

    def _start_waiting(self) -> None:
        due = [one for one in self._waiting if one[0] <= time.monotonic()]
        for one in due:
            self._waiting.remove(one)
            self.start(one[1])

    def processes(self) -> dict[str, int]:
        """Name -> process id of the living children."""
        return {child.name: process.pid for child, process in self._children if process.poll() is None}

    def stop(self) -> None:
        """SIGTERM in the opposite order of starting, each with its grace, then SIGKILL to its whole group."""
        self._waiting.clear()
        while self._children:
            child, process = self._children.pop()
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(child.grace)
                except subprocess.TimeoutExpired:
                    log.warning("%s had to be killed", child.name, extra={"action": "child_killed"})
            self._sweep_group(process)
            process.wait()
        if self._sweeper.stdin:
            self._sweeper.stdin.close()
        self._sweeper.wait(10)

    def log_file(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._logs / f"{name}.log"

    def _may_restart(self, child: Child, code: int) -> bool:
        recent = [at for at in self._starts[child.name] if time.monotonic() - at < RESTART_SECONDS]
        ours = code in (SetupProblem.exit_code, PartAway.exit_code)
        return child.restart and not ours and len(recent) <= RESTARTS

    def _sweep_group(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._tell_sweeper(-process.pid)

    def _tell_sweeper(self, group: int) -> None:
        if self._sweeper.stdin is not None and not self._sweeper.stdin.closed:
            self._sweeper.stdin.write(f"{group}\n".encode())
            self._sweeper.stdin.flush()

    def _tail(self, name: str, lines: int = 15) -> str:
        text = self.log_file(name).read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"  {name}| {line}" for line in text)


def _lives(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None
