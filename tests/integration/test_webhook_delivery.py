"""Events on their way over HTTP: a receiver that fails at first, and a process that dies in between."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kafka_fixtures import wait_until
from rows_for_tests import add_items, add_question

from daemon.adapters.store.engine import Database
from daemon.adapters.store.outside import OutsideRoom
from daemon.adapters.store.webhooks import WebhookRoom
from daemon.adapters.webhook_post import HttpPost
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideVote
from daemon.core.webhooks import NotDelivered, WebhookSender, signature
from daemon.wiring import webhooks
from daemon.wiring.config import load


class Receiver(ThreadingHTTPServer):
    """Keeps what it is told; answers with these codes first, with 204 then."""

    daemon_threads = True

    def __init__(self, *codes: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes = list(codes)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    """One call."""

    server: Receiver

    def do_POST(self) -> None:
        """Keep it, and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code = self.server.codes.pop(0) if self.server.codes else 204
        if code == 204:
            self.server.got.append((dict(self.headers), body))
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Fails twice."""
    with Receiver(500, 302) as server:
        yield server
        server.shutdown()
        server.thread.join()


def config_file(folder: Path, database: Database, url: str) -> Path:
    file = folder / "labelloop.yaml"
    address = database.url.render_as_string(hide_password=False)
    file.write_text(
        "task: {name: mail, classes: [ham, spam]}\ntiers: {expert: {final: true}}\nencoder: null\n"
        f'database: {{url: "{address}"}}\nwebhooks: {{shop: {{url: "{url}", secret_env: SHOP_SECRET}}}}\n'
    )
    return file


def happen(database: Database, count: int) -> None:
    """So many answers."""
    room = OutsideRoom(database, ["expert"])
    for number in range(count):
        add_items(database, [f"i{number}"])
        room.take([OutsideVote(add_question(database, f"i{number}"), "ann", 1)])


def test_events_arrive_signed_after_failures(
    database: Database, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.core.webhooks.FIRST_WAIT", 0.05)
    monkeypatch.setattr("daemon.core.webhooks.LOOK_SECONDS", 0.02)
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    config = load(config_file(tmp_path, database, receiver.url), {})
    with webhooks.telling(config, database, threading.Event()):
        happen(database, 5)
        wait_until(lambda: len(receiver.got) == 5)
        wait_until(lambda: WebhookRoom(database).standing() == {})
    told = [json.loads(body) for _, body in receiver.got]
    assert {one["item"] for one in told} == {f"i{n}" for n in range(5)}
    assert {one["label"] for one in told} == {"spam"}
    for headers, body in receiver.got:
        moment = int(headers["Labelloop-Signature"].removeprefix("t=").split(",")[0])
        assert headers["Labelloop-Signature"] == signature("s3cret", moment, body)
        assert headers["Labelloop-Delivery"] == json.loads(body)["id"]


def test_a_process_that_dies_between_telling_and_noting_tells_again(
    database: Database, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.codes.clear()
    config = load(config_file(tmp_path, database, receiver.url), {})
    store, post = WebhookRoom(database), HttpPost()
    store.subscribe({"shop": ["answered"]})
    happen(database, 1)

    def sender() -> WebhookSender:
        space, stop = config.task.space, threading.Event()
        return WebhookSender(store, post, config.webhooks, {"shop": "s"}, space, lambda: True, stop)

    def dies(_ids: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "delivered", dies)
        with pytest.raises(KeyboardInterrupt):
            sender().turn()
    assert sender().turn() == 1
    assert sender().turn() == 0
    post.close()
    first, second = (json.loads(body)["id"] for _, body in receiver.got)
    assert first == second


def test_nobody_there_is_a_failure_and_no_crash() -> None:
    post = HttpPost()
    with pytest.raises(NotDelivered):
        post("http://127.0.0.1:1/hook", b"{}", {}, 1.0)
    post.close()


def test_a_missing_secret_is_said_plainly(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_SECRET", raising=False)
    config = load(config_file(tmp_path, database, "http://127.0.0.1:1"), {})
    with (
        pytest.raises(SetupProblem, match=r"webhooks\.shop\.secret_env.*SHOP_SECRET is not set"),
        webhooks.telling(config, database, threading.Event()),
    ):
        pass
