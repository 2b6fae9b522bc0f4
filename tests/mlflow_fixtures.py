"""One MLflow server for all tests of a session, started when the first one asks for it, and others."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest
from patience import PATIENCE

from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem

STARTED: pytest.StashKey[MlflowServer] = pytest.StashKey()


@pytest.fixture(scope="session")
def mlflow_server(request: pytest.FixtureRequest) -> MlflowServer:
    """A real server on SQLite in a temporary folder; the same one wherever this fixture is imported."""
    config = request.config
    if STARTED not in config.stash:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        folder = tempfile.TemporaryDirectory(prefix="labelloop-mlflow-", ignore_cleanup_errors=True)
        server, _ = stack.enter_context(running_mlflow(Path(stack.enter_context(folder))))
        config.stash[STARTED] = server
    return config.stash[STARTED]


def spawned(server: MlflowServer, output: IO[bytes]) -> "subprocess.Popen[bytes]":
    """The server's process, at the head of a group of its own."""
    return subprocess.Popen(
        server.command(),
        env={**os.environ, **server.environment()},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


@contextmanager
def running_mlflow(folder: Path) -> Iterator[tuple[MlflowServer, "subprocess.Popen[bytes]"]]:
    """A real server that answers, and its process, which leads a group of its own."""
    server = MlflowServer(folder, free_port())
    server.prepare()
    log = server.folder / "server.log"
    with log.open("wb") as output:
        process = spawned(server, output)
    try:
        server.wait_ready(90 * PATIENCE, lambda: process.poll() is None)
        yield server, process
    except SetupProblem as problem:
        pytest.fail(f"{problem}; its log ends with:\n{log.read_text(errors='replace')[-2_000:]}")
    finally:
        end_group(process)


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
