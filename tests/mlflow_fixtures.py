"""One MLflow server for all tests of a session, started when the first one asks for it."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from daemon.adapters.broker.process import free_port
from daemon.adapters.mlflow_server import MlflowServer
from daemon.core.errors import SetupProblem

STARTED: pytest.StashKey[MlflowServer] = pytest.StashKey()


@pytest.fixture(scope="session")
def mlflow_server(request: pytest.FixtureRequest) -> MlflowServer:
    """A real server on SQLite in a temporary folder; the same one wherever this fixture is imported."""
    if STARTED not in request.config.stash:
        request.config.stash[STARTED] = _start(request.config)
    return request.config.stash[STARTED]


def _start(config: pytest.Config) -> MlflowServer:
    folder = tempfile.TemporaryDirectory(prefix="labelloop-mlflow-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    server = MlflowServer(Path(folder.name), free_port())
    server.prepare()
    log = server.folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            server.command(),
            env={**os.environ, **server.environment()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    config.add_cleanup(lambda: end_group(process))
    try:
        server.wait_ready(90, lambda: process.poll() is None)
    except SetupProblem as problem:
        pytest.fail(f"{problem}; its log ends with:\n{log.read_text(errors='replace')[-2_000:]}")
    return server


def end_group(process: "subprocess.Popen[bytes]", grace: float = 10.0) -> None:
    """End a process and its children, which lead a group of their own."""
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return
