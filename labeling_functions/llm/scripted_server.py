"""A server that speaks OpenAI's chat completions on loopback and says what a script says.

For tests and rehearsals. It keeps its own count of what it was asked and would have billed, so that a ledger
can be held against it.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from labeling_functions.llm.scripted_completion import MODEL, Answer, completion, message_text

HANG_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """How a call goes wrong. All but `status` bill the call all the same: the work was done.

    Attributes:
        kind: `status`: an error with that status; `hang`: no answer until the server closes; `garbage`: no
            JSON; `shape`: JSON of another shape; `close`: the connection ends without an answer; `no_usage`:
            the answer without a count of tokens; `one_sample`: the first answer alone, as if it knew no `n`.
        status, message, retry_after: of kind `status`.
    """

    kind: Literal["status", "hang", "garbage", "shape", "close", "no_usage", "one_sample"]
    status: int = 500
    message: str = "told to fail"
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One sample that is to be answered.

    Attributes:
        body: the request as it came.
        sample: its number among those of the request.
    """

    body: Mapping[str, Any]
    sample: int = 0

    @property
    def prompt(self) -> str:
        """All text of all messages, a line each."""
        return "\n".join(map(message_text, self.body["messages"]))


SPOILED: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "shape": lambda _: {"choices": "none"},
    "no_usage": lambda made: {key: value for key, value in made.items() if key != "usage"},
    "one_sample": lambda made: {**made, "choices": made["choices"][:1]},
}
"""Faults that are an answer all the same -> what becomes of it."""

Script = Callable[[Asked], str | Answer | Fault]


@dataclass(frozen=True, slots=True)
class Bill:
    """What the server counted.

    Attributes:
        calls: requests for a completion that reached it.
        billed: those that it did the work for.
        tokens_in, tokens_out: of the billed ones.
    """

    calls: int = 0
    billed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


class ScriptedServer:
    """Serves from the start of a `with` block to its end, each connection in a thread of its own.

    Args:
        script: answers one sample; called from many threads. A Fault for any sample spoils the whole call.
        seconds: that each call takes.
    """

    def __init__(self, script: Script, seconds: float = 0.0) -> None:
        self._script = script
        self._seconds = seconds
        self._lock = threading.Lock()
        self._bill = Bill()
        self._faults: list[Fault] = []
        self._constant: Fault | None = None
        self._requests: list[Mapping[str, Any]] = []
        self._headers: list[Mapping[str, str]] = []
        self._closing = threading.Event()
        self._server = _Server(self)

    @property
    def base_url(self) -> str:
        """What an EndpointSettings takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def bill(self) -> Bill:
        """What was counted until now."""
        with self._lock:
            return self._bill

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """The bodies of all calls until now, in order."""
        with self._lock:
            return list(self._requests)

    @property
    def headers(self) -> list[Mapping[str, str]]:
        """The headers of all calls until now, in order; names in small letters."""
        with self._lock:
            return list(self._headers)

    def inject(self, fault: Fault, calls: int | None = None) -> None:
        """Spoil the next `calls` calls, or all until `heal`."""
        with self._lock:
            if calls is None:
                self._constant = fault
            else:
                self._faults += [fault] * calls

    def heal(self) -> None:
        """Take back every fault that was injected."""
        with self._lock:
            self._constant = None
            self._faults.clear()

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; calls that hang end without an answer."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> "_Outcome":
        """Count one call and say how it goes."""
        with self._lock:
            self._requests.append(body)
            self._headers.append(headers)
            self._bill = replace(self._bill, calls=self._bill.calls + 1)
            injected = self._faults.pop(0) if self._faults else self._constant
        answers, fault = self._scripted(body, injected)
        self._closing.wait(self._seconds)
        made = completion(body, answers)
        if fault is None or fault.kind != "status":
            self._count(made["usage"])
        return _Outcome(made, fault)

    def _scripted(self, body: Mapping[str, Any], fault: Fault | None) -> tuple[list[Answer], Fault | None]:
        answers = []
        for sample in range(body.get("n") or 1):
            said = self._script(Asked(body, sample))
            if isinstance(said, Fault):
                fault = fault or said
            else:
                answers.append(said if isinstance(said, Answer) else Answer(said))
        return answers, fault

    def _count(self, usage: Mapping[str, int]) -> None:
        with self._lock:
            self._bill = replace(
                self._bill,
                billed=self._bill.billed + 1,
                tokens_in=self._bill.tokens_in + usage["prompt_tokens"],
                tokens_out=self._bill.tokens_out + usage["completion_tokens"],
            )

    def hang(self) -> None:
        """Block until the server closes."""
        self._closing.wait(HANG_SECONDS)


@dataclass(frozen=True, slots=True)
class _Outcome:
    completion: Mapping[str, Any]
    fault: Fault | None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that went away are none of our business; an error in the script is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """The list of models."""
        if self.path.endswith("/models"):
            self._json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        else:
            self._json(404, {"error": {"message": f"nothing at {self.path}"}})

    def do_POST(self) -> None:
        """A completion, or what goes wrong with it."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.endswith("/chat/completions"):
            self._json(404, {"error": {"message": f"nothing at {self.path}"}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        outcome = self.server.scripted.answer(json.loads(raw), headers)
        if outcome.fault is None:
            self._json(200, outcome.completion)
        else:
            self._go_wrong(outcome.fault, outcome.completion)

    def _go_wrong(self, fault: Fault, made: Mapping[str, Any]) -> None:
        if fault.kind == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
            self._json(fault.status, {"error": {"message": fault.message}}, headers)
        elif fault.kind == "garbage":
            self._send(200, b"<html>I am no JSON</html>", {})
        elif spoil := SPOILED.get(fault.kind):
            self._json(200, spoil(made))
        else:
            if fault.kind == "hang":
                self.server.scripted.hang()
            self.close_connection = True

    def _json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers or {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written to standard error."""
