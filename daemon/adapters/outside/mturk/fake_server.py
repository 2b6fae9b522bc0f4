"""The Mechanical Turk in memory behind HTTP on loopback, for tests: requester's API and workers' pages.

The API is AWS's JSON protocol 1.1: the call's name is in the header X-Amz-Target, errors are bodies with
`__type`. A HIT's page is at /hits/ID, and its form is sent to /mturk/externalSubmit, as workers' browsers do.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from daemon.adapters.outside.mturk.fake import FakeMturk
from daemon.adapters.outside.mturk.fake_rules import Refused

SERVICE = "MTurkRequesterServiceV20170117"
JSON = "application/x-amz-json-1.1"
NO_ASSIGNMENT = "ASSIGNMENT_ID_NOT_AVAILABLE"


class FakeMturkServer:
    """Where a fake listens.

    Attributes:
        mturk: the fake. url: its address. key: id of the access key that callers must sign with.
        fails: errors that the next calls are answered with, first one first: (HTTP status, type).
        lost: names of calls that are done and whose reply is lost, once each.
        lock: held while the fake is used.
    """

    def __init__(self, mturk: FakeMturk, key: str = "AKIDFAKE") -> None:
        self.mturk = mturk
        self.key = key
        self.url = ""
        self.fails: list[tuple[int, str]] = []
        self.lost: list[str] = []
        self.lock = threading.RLock()

    def page_url(self, hit: str, worker: str = "", assignment: str = NO_ASSIGNMENT) -> str:
        """Address of a HIT's page, as a worker's browser opens it; a preview without an assignment."""
        told = {"assignmentId": assignment, "hitId": hit, "workerId": worker, "turkSubmitTo": self.url}
        return f"{self.url}/hits/{hit}?{urlencode(told)}"

    def answer(self, target: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        """Status and body of the reply to a call of the API; None where it is lost."""
        with self.lock:
            if self.fails:
                status, kind = self.fails.pop(0)
                return status, {"__type": kind, "message": kind}
            if f"Credential={self.key}/" not in authorization:
                kind = "UnrecognizedClientException"
                return 400, {"__type": kind, "message": "The security token included is invalid."}
            service, _, name = target.partition(".")
            if service != SERVICE:
                return 400, {"__type": "UnknownOperationException"}
            try:
                reply = 200, self.mturk.call(name, json.loads(body))
            except Refused as refused:
                said = {"Message": f"{refused} (1)", "TurkErrorCode": refused.code}
                reply = 400, {"__type": "RequestError", **said}
            if name in self.lost:
                self.lost.remove(name)
                return None
            return reply

    def submit(self, form: bytes) -> None:
        """A worker's form."""
        fields = parse_qsl(form.decode(), keep_blank_values=True)
        assignment = dict(fields)["assignmentId"]
        with self.lock:
            self.mturk.submit(assignment, [pair for pair in fields if pair[0] != "assignmentId"])

    def page(self, hit: str) -> str:
        """The HTML of a HIT."""
        with self.lock:
            return self.mturk.page(hit)


@contextmanager
def serving(mturk: FakeMturk) -> Iterator[FakeMturkServer]:
    """A server on a port of its own; gone at the end."""
    fake = FakeMturkServer(mturk)

    class Handler(_Handler):
        served = fake

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: FakeMturkServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if urlsplit(self.path).path == "/mturk/externalSubmit":
            self.served.submit(body)
            self._send(200, "text/html; charset=utf-8", b"<title>Thank you</title>")
            return
        target, signed = self.headers.get("X-Amz-Target", ""), self.headers.get("Authorization", "")
        reply = self.served.answer(target, signed, body)
        if reply is None:
            self.close_connection = True
            return
        self._send(reply[0], JSON, json.dumps(reply[1]).encode())

    def do_GET(self) -> None:
        hit = urlsplit(self.path).path.removeprefix("/hits/")
        if hit not in self.served.mturk.hits:
            self._send(404, "text/plain", b"there is no such HIT")
            return
        self._send(200, "text/html; charset=utf-8", self.served.page(hit).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
