"""Traces on their way to MLflow: outages, refusals and too little room, against a server of our own."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from traces_for_tests import example_trace

from daemon.adapters import mlflow_traces
from daemon.adapters.mlflow_traces import MlflowTraces

WAIT_SECONDS = 60.0


class Server:
    """MLflow as far as traces need it. `answers` gives the status for the prompts of a call."""

    def __init__(self) -> None:
        self.answers: Callable[[list[str]], int] = lambda _: 200
        self.prompts: list[str] = []
        self.calls = 0
        self.came = threading.Condition()
        handler = type("Handler", (_Handler,), {"server_of_ours": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        self.uri = f"http://127.0.0.1:{self._http.server_address[1]}"

    def take(self, body: bytes) -> int:
        prompts = [
            pair["value"]["kvlistValue"]["values"][1]["value"]["arrayValue"]["values"][0]["kvlistValue"]
            for span in json.loads(body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
            if "parentSpanId" in span
            for pair in span["attributes"]
            if pair["key"] == "mlflow.spanInputs"
        ]
        texts = [prompt["values"][1]["value"]["stringValue"] for prompt in prompts]
        with self.came:
            status = self.answers(texts)
            self.calls += 1
            if status == 200:
                self.prompts += texts
            self.came.notify_all()
        return status

    def wait(self, done: Callable[[], bool]) -> None:
        with self.came:
            assert self.came.wait_for(done, WAIT_SECONDS)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_of_ours: ClassVar[Server]

    def do_GET(self) -> None:
        self._say(200, {"experiment": {"experiment_id": "1"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._say(self.server_of_ours.take(body), {})

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _say(self, status: int, what: object) -> None:
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(mlflow_traces, "REST_SECONDS", 0.05)
    monkeypatch.setattr(mlflow_traces, "GATHER_SECONDS", 0.05)
    with closing(Server()) as made:
        yield made


def keep(log: MlflowTraces, prompt: str) -> None:
    id_ = log.begin()
    assert id_ is not None
    log.keep(example_trace(id_, prompt))


def test_what_waits_during_an_outage_arrives_after_it(server: Server) -> None:
    server.answers = lambda _: 503
    log = MlflowTraces(server.uri, "mail")
    for number in range(10):
        keep(log, f"prompt {number}")
    server.wait(lambda: server.calls >= 3)
    server.answers = lambda _: 200
    log.close(WAIT_SECONDS)
    assert sorted(server.prompts) == [f"prompt {number}" for number in range(10)]
    assert log.dropped == 0


def test_one_that_is_refused_does_not_spoil_the_others(server: Server) -> None:
    server.answers = lambda prompts: 422 if "bad" in prompts else 200
    log = MlflowTraces(server.uri, "mail")
    for prompt in ("good", "bad", "better"):
        keep(log, prompt)
    log.close(WAIT_SECONDS)
    assert sorted(server.prompts) == ["better", "good"]
    assert log.dropped == 1


def test_what_finds_no_room_is_dropped_and_counted(server: Server) -> None:
    server.answers = lambda _: 503
    log = MlflowTraces(server.uri, "mail", room_bytes=400_000)
    keep(log, "first")
    server.wait(lambda: server.calls >= 1)  # it is on its way: the room is empty
    for _ in range(10):
        keep(log, "x" * 50_000)
    assert log.dropped == 7
    server.answers = lambda _: 200
    log.close(WAIT_SECONDS)
    assert sorted(map(len, server.prompts)) == [5, 50_000, 50_000, 50_000]
    assert log.dropped == 7


def test_a_share_of_traces_is_kept() -> None:
    drawn = iter([0.1, 0.3, 0.2, 0.9])
    log = MlflowTraces("http://127.0.0.1:9", "mail", 0.25, chance=lambda: next(drawn))
    assert [log.begin() is not None for _ in range(4)] == [True, False, True, False]
    log.close(WAIT_SECONDS)
