"""`labelloop check` and the start of `up` where language models answer: keys, templates, models."""

import http.server
import socket
import threading
from pathlib import Path

import pytest

from daemon.core.errors import SetupProblem
from daemon.wiring import check_llm
from daemon.wiring.check import main as check
from daemon.wiring.checks import Finding, State
from daemon.wiring.config import Config, load
from daemon.wiring.network import Ports
from daemon.wiring.up import House
from labeling_functions.llm.scripted_server import MODEL, Asked, ScriptedServer

CONFIG = """
task: {{name: mail, classes: [ham, spam]}}
tiers:
  llm: {{backend: llm, price: 0.01}}
  expert: {{final: true}}
endpoints: {{hosted: {{base_url: "{url}"{key}}}}}
llm: {{llm: {{endpoint: hosted, model: "{model}"{template}}}}}
encoder: null
"""


def config_of(folder: Path, url: str, model: str = MODEL, key: str = "", template: str = "") -> Config:
    file = folder / "labelloop.yaml"
    key = f", key_env: {key}" if key else ""
    template = f", template_file: {template}" if template else ""
    file.write_text(CONFIG.format(url=url, model=model, key=key, template=template))
    return load(file)


def seen(folder: Path, url: str, **settings: str) -> Finding:
    return check_llm.endpoints(config_of(folder, url, **settings))


def silent(asked: Asked) -> str:
    raise AssertionError("a check pays for no call")


def test_an_endpoint_that_answers_and_knows_its_models_is_fine(tmp_path: Path) -> None:
    with ScriptedServer(silent) as server:
        found = seen(tmp_path, server.base_url)
        assert found.state is State.OK and MODEL in found.text
        found = seen(tmp_path, server.base_url, model="gpt-unheard-of")
        assert found.state is State.NOTE and "llm.llm.model: 'gpt-unheard-of' is not among" in found.text
        assert server.bill.calls == 0


@pytest.mark.parametrize(
    ("status", "state", "told"),
    [(404, State.NOTE, "does not list its models"), (401, State.PROBLEM, "refuses calls without a key")],
)
def test_an_endpoint_may_list_nothing_or_refuse(tmp_path: Path, status: int, state: State, told: str) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            found = seen(tmp_path, f"http://127.0.0.1:{server.server_address[1]}/v1")
        finally:
            server.shutdown()
    assert found.state is state and told in found.text


def test_an_address_where_nothing_answers_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SetupProblem, match=f"endpoints.hosted: nothing answers at http://127.0.0.1:{port}"):
        seen(tmp_path, f"http://127.0.0.1:{port}/v1")


def test_a_key_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL_KEY", raising=False)
    with ScriptedServer(silent) as server:
        with pytest.raises(SetupProblem, match=r"endpoints\.hosted: .*set the environment variable MAIL_KEY"):
            seen(tmp_path, server.base_url, key="MAIL_KEY")
        monkeypatch.setenv("MAIL_KEY", "secret")
        assert seen(tmp_path, server.base_url, key="MAIL_KEY").state is State.OK


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    with ScriptedServer(silent) as server, pytest.raises(SetupProblem, match=r"llm\.llm\.template_file"):
        seen(tmp_path, server.base_url, template="gone.jinja")


def test_the_command_tells_of_language_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer(silent) as server:
        config_of(tmp_path, server.base_url)
        check(tmp_path / "labelloop.yaml")
    assert f"ok       llm        hosted answers at {server.base_url}" in capsys.readouterr().out


def test_up_starts_nothing_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL_KEY", raising=False)
    config = config_of(tmp_path, "http://127.0.0.1:1/v1", key="MAIL_KEY")
    house = House(config, tmp_path / "labelloop.yaml", None, Ports())
    try:
        with pytest.raises(SetupProblem, match="MAIL_KEY"):
            house.start()
        assert house.processes() == {}
    finally:
        house.stop()
