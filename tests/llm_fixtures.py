"""SmolLM2 for all tests of a session, started when the first one asks for it; absent, they skip."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from daemon.adapters.llm_server import LlmServer, running
from daemon.adapters.starting import free_port
from labeling_functions.llm.local_server import ModelMissing, model_file

STARTED: pytest.StashKey[LlmServer] = pytest.StashKey()


@pytest.fixture(scope="session")
def local_llm(request: pytest.FixtureRequest) -> LlmServer:
    """The real model; the same server wherever this fixture is imported."""
    if STARTED not in request.config.stash:
        request.config.stash[STARTED] = _start(request.config)
    return request.config.stash[STARTED]


def _start(config: pytest.Config) -> LlmServer:
    try:
        model_file()
    except ModelMissing as missing:
        pytest.skip(str(missing))
    stack = ExitStack()
    config.add_cleanup(stack.close)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="labelloop-llm-"))
    return stack.enter_context(running(LlmServer(free_port()), Path(folder) / "server.log"))
