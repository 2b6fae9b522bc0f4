"""The small language model of `labelloop up`: started where an endpoint has no address, found by others."""

import threading
from pathlib import Path

import pytest

from daemon.core.errors import SetupProblem
from daemon.wiring import check_llm, endpoints
from daemon.wiring.annotate import located, models_of
from daemon.wiring.checks import State
from daemon.wiring.config import Config, load
from daemon.wiring.config_errors import ConfigError
from daemon.wiring.network import Ports
from daemon.wiring.up import House
from labeling_functions.llm.chat_model import ChatRequest, Message
from labeling_functions.llm.local_server import MODEL

CONFIG = """
task: {{name: mail, classes: [ham, spam]}}
tiers:
  llm: {{backend: llm, price: 0.01}}
  expert: {{final: true}}
endpoints: {{local: {{concurrency: 1}}}}
llm: {{llm: {{endpoint: local, model: {model}}}}}
encoder: null
mlflow: {{uri: "http://127.0.0.1:1"}}
review: {{port: {port}}}
"""


def config_of(folder: Path, port: int = 8400, model: str = MODEL) -> Config:
    file = folder / "labelloop.yaml"
    file.write_text(CONFIG.format(port=port, model=model))
    return load(file)


def test_it_goes_by_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"'gpt-9' is unknown; .*the local language model, {MODEL}"):
        config_of(tmp_path, model="gpt-9")


def test_without_up_it_is_not_there(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    with pytest.raises(SetupProblem, match=r"endpoints\.local: .* `labelloop up` starts it"):
        located(config, "local")


@pytest.mark.llm
@pytest.mark.timeout(300)
def test_up_starts_it_and_says_where_it_is(tmp_path: Path) -> None:
    ports = Ports()
    config = config_of(tmp_path, ports.take(8400))
    found = check_llm.endpoints(config)
    assert found.state is State.OK and "started by `labelloop up`" in found.text
    house = House(config, tmp_path / "labelloop.yaml", None, ports)
    try:
        house.start()
        assert {"language-model", "annotate-llm"} <= house.processes().keys()
        model = models_of(config, ["llm"], threading.Event())["local"]
        reply = model.ask(ChatRequest(MODEL, (Message("user", "Say yes."),), max_tokens=4))
        assert reply.texts[0] and reply.tokens_out <= 4
        assert f"knows {MODEL}" in check_llm.endpoints(config).text
    finally:
        house.stop()
    assert endpoints.read(config.state, endpoints.LANGUAGE_MODEL) is None
