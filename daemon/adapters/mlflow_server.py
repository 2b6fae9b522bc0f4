"""A local MLflow server on loopback, for `labelloop up` and the tests; a supervisor runs the process."""

import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from daemon.adapters.starting import wait_until
from daemon.core.errors import SetupProblem

HOST = "127.0.0.1"
POLL_SECONDS = 0.1


class MlflowServer:
    """MLflow with one worker on SQLite; runs and artifacts survive in `folder`.

    Ready after 5-10 s on two cores, 440 MB in two processes: signal the whole process group, since a killed
    parent leaves its worker behind (SIGTERM to the parent alone is passed on).
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.absolute()
        self.port = port

    @property
    def uri(self) -> str:
        """What clients give as tracking URI, and people open."""
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        """Make the folder. Raises SetupProblem."""
        try:
            (self.folder / "artifacts").mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SetupProblem(
                f"MLflow's folder {self.folder} cannot be made: {problem.strerror}; choose another `state`,"
                " or give mlflow.uri"
            ) from problem

    def command(self) -> list[str]:
        """What to run. Only requests to a loopback name are served, against DNS rebinding."""
        names = ("localhost", HOST, f"localhost:{self.port}", f"{HOST}:{self.port}")
        return [
            *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(self.port)),
            *("--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}"),
            *("--serve-artifacts", "--artifacts-destination", str(self.folder / "artifacts")),
            *("--allowed-hosts", ",".join(names)),
        ]

    def environment(self) -> dict[str, str]:
        """Added to ours: no background jobs (they cost a minute and a gigabyte), nothing reported home."""
        return {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "PYTHONWARNINGS": "ignore",
        }

    def wait_ready(self, deadline_seconds: float, alive: Callable[[], bool] = lambda: True) -> None:
        """Return when the server answers.

        Args:
            deadline_seconds: how long to wait.
            alive: False once its process has ended.

        Raises:
            SetupProblem: it ended, or did not answer in time.
        """
        server = f"the MLflow server at {self.uri}"
        wait_until(self._answers, alive, deadline_seconds, POLL_SECONDS, server, "does not answer")

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.uri}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (URLError, OSError):
            return False
