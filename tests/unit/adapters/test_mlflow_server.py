"""How the local MLflow server is run; that it runs is shown by the integration tests."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem


class Health(BaseHTTPRequestHandler):
    """Unavailable at first, then well."""

    replies: list[int]

    def do_GET(self) -> None:
        self.send_response(self.replies.pop(0) if self.replies else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def starting_port() -> Iterator[int]:
    Health.replies = [503, 503]
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_it_listens_on_loopback_and_keeps_all_in_its_folder(tmp_path: Path) -> None:
    server = MlflowServer(tmp_path / "mlflow", 5123)
    command = server.command()
    assert (option(command, "--host"), option(command, "--port")) == ("127.0.0.1", "5123")
    assert option(command, "--backend-store-uri") == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert option(command, "--artifacts-destination") == f"{tmp_path}/mlflow/artifacts"
    assert "*" not in option(command, "--allowed-hosts")
    assert server.uri == "http://127.0.0.1:5123"


def test_a_relative_folder_is_the_same_for_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path) in option(MlflowServer(Path("state"), 1).command(), "--backend-store-uri")


def test_nothing_is_reported_home_and_no_jobs_run(tmp_path: Path) -> None:
    environment = MlflowServer(tmp_path, 1).environment()
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_a_folder_that_cannot_be_made_is_a_setup_problem(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(SetupProblem, match="another `state`"):
        MlflowServer(tmp_path / "state" / "mlflow", 1).prepare()


def test_it_is_ready_when_it_says_so(starting_port: int, tmp_path: Path) -> None:
    MlflowServer(tmp_path, starting_port).wait_ready(20)
    assert Health.replies == []


def test_waiting_ends_with_the_process(tmp_path: Path) -> None:
    before = time.monotonic()
    with pytest.raises(SetupProblem, match="ended while starting"):
        MlflowServer(tmp_path, free_port()).wait_ready(60, alive=lambda: False)
    assert time.monotonic() - before < 30


def test_waiting_ends_at_the_deadline(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match=r"does not answer after 0\.2 s"):
        MlflowServer(tmp_path, free_port()).wait_ready(0.2)
