"""SmolLM2 on loopback as a process, for `labelloop up`, the tests and benchmarks; a supervisor runs it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from daemon.adapters.starting import wait_until, with_parent
from daemon.core.errors import SetupProblem
from labeling_functions.llm.local_server import HOST, ModelMissing, model_file

POLL_SECONDS = 0.1
ENDING_SECONDS = 10.0


class LlmServer:
    """One thread, about 400 MB. `/health` says when the model is loaded; until then calls get HTTP 503."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._opener = build_opener(ProxyHandler({}))  # loopback is never asked through a proxy

    @property
    def base_url(self) -> str:
        """What an EndpointSettings takes."""
        return f"http://{HOST}:{self.port}/v1"

    def prepare(self) -> None:
        """Look whether model and server are installed. Raises SetupProblem."""
        try:
            model_file()
        except ModelMissing as missing:
            raise SetupProblem(str(missing)) from None

    def command(self) -> list[str]:
        """What to run; SIGTERM ends it."""
        return [sys.executable, "-m", "labeling_functions.llm.local_server", str(self.port)]

    def environment(self) -> dict[str, str]:
        """Added to ours."""
        return {"OMP_NUM_THREADS": "1"}

    def wait_ready(self, deadline_seconds: float, alive: Callable[[], bool] = lambda: True) -> None:
        """Return when the model is loaded.

        Args:
            deadline_seconds: how long to wait.
            alive: False once its process has ended.

        Raises:
            SetupProblem: it ended, or did not answer in time.
        """
        server = f"the language model's server at {self.base_url}"
        wait_until(self._answers, alive, deadline_seconds, POLL_SECONDS, server, "is not up")

    def _answers(self) -> bool:
        try:
            with self._opener.open(f"http://{HOST}:{self.port}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (URLError, OSError):
            return False


@contextmanager
def running(server: LlmServer, log: Path, deadline_seconds: float = 120.0) -> Iterator[LlmServer]:
    """The server as a child of this process, for tests and scripts; its output goes to `log`.

    Raises:
        SetupProblem: it is not installed, or does not come up; with the end of the log.
    """
    server.prepare()
    with log.open("ab") as output:
        process = subprocess.Popen(
            with_parent(server.command()), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait(server, process, log, deadline_seconds)
        yield server
    finally:
        _end(process)


def _wait(server: LlmServer, process: "subprocess.Popen[bytes]", log: Path, deadline_seconds: float) -> None:
    try:
        server.wait_ready(deadline_seconds, lambda: process.poll() is None)
    except SetupProblem as problem:
        tail = log.read_text(errors="replace")[-2_000:]
        raise SetupProblem(f"{problem}; its log ends with:\n{tail}") from problem


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
