"""What both brokers share: ports, waiting until they answer, and running them in tests."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.kafka.topics import ping
from daemon.adapters.starting import HOST, wait_until
from daemon.core.errors import SetupProblem

POLL_SECONDS = 0.02


class Broker(Protocol):
    """A broker that a supervisor can run: prepare, spawn `command` with `environment`, wait until ready."""

    @property
    def bootstrap(self) -> str:
        """Where clients reach it, host:port."""

    def prepare(self) -> None:
        """Write what it needs on disk. Raises SetupProblem."""

    def command(self) -> list[str]:
        """What to run; it ends when the process (on Linux: the thread) that spawned it ends."""

    def environment(self) -> dict[str, str]:
        """The whole environment to run it in."""


def refuse_taken_port(port: int) -> None:
    """Raise SetupProblem if somebody listens on this port of loopback; clients would talk to them."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SetupProblem(f"the broker cannot have port {port} on {HOST}: {error}") from error


def wait_ready(broker: Broker, deadline_seconds: float, alive: Callable[[], bool] = lambda: True) -> None:
    """Return when the broker answers a client.

    Args:
        deadline_seconds: how long to wait.
        alive: False once its process has ended.

    Raises:
        SetupProblem: it ended, or did not answer in time.
    """
    until = time.monotonic() + deadline_seconds
    server = f"the broker at {broker.bootstrap}"
    wait_until(
        lambda: _listening(broker.bootstrap), alive, deadline_seconds, POLL_SECONDS, server, "does not listen"
    )
    ping(KafkaSettings(bootstrap=broker.bootstrap), max(1.0, until - time.monotonic()))
    if not alive():
        raise SetupProblem(f"{server} ended while starting")


class RunningBroker:
    """A broker as a child of this process, for tests and scripts; its output goes to `log`.

    Raises SetupProblem, with the end of the log, if it does not come up.
    """

    def __init__(self, broker: Broker, log: Path, deadline_seconds: float = 60.0) -> None:
        self.broker = broker
        self.log = log
        broker.prepare()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                broker.command(),
                env=broker.environment(),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            wait_ready(broker, deadline_seconds, lambda: self.process.poll() is None)
        except SetupProblem as problem:
            self.stop()
            tail = log.read_text(errors="replace")[-2_000:]
            raise SetupProblem(f"{problem}; its log ends with:\n{tail}") from problem

    def stop(self, deadline_seconds: float = 20.0) -> None:
        """Ask it to end, then make it."""
        self.process.terminate()
        try:
            self.process.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.process.kill()
        self.process.wait()


def _listening(bootstrap: str) -> bool:
    host, _, port = bootstrap.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, int(port))) == 0
