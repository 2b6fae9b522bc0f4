"""A small server beside a loop: /metrics, /healthz and /readyz."""

import json
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.adapters.watching.settings import MetricsSettings
from daemon.core.metrics import MISSING
from daemon.core.readiness import Readiness

log = logging.getLogger(__name__)

CALL_SECONDS = 10.0
"""Patience with a caller that sends nothing."""

JSON = "application/json"
Reply = tuple[int, str, bytes]


@contextmanager
def served(settings: MetricsSettings, meter: PrometheusMeter, readiness: Readiness) -> Iterator[int | None]:
    """Serve from threads of its own while the block runs; gives the port, None if nothing is served.

    Watching never stops what it watches: if the port is taken, an error is logged and the block runs all the
    same.
    """
    if settings.port is None:
        yield None
        return
    try:
        server = _Server((settings.host, settings.port), meter, readiness)
    except OSError as error:
        log.error(
            "no metrics are served: %s:%d cannot be had (%s); set metrics.port to another one, or to 0",
            settings.host,
            settings.port,
            error.strerror or error,
            extra={"action": "metrics_unavailable"},
        )
        yield None
        return
    port = int(server.server_address[1])
    log.info("metrics at http://%s:%d/metrics", settings.host, port, extra={"action": "metrics_served"})
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], meter: PrometheusMeter, readiness: Readiness) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)
        self.pages: dict[str, Callable[[str], Reply]] = {
            "/metrics": lambda accept: _metrics(meter, readiness, accept),
            "/healthz": lambda _: (200, JSON, json.dumps({"ok": True}).encode()),
            "/readyz": lambda _: _ready(readiness),
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away in the middle is no event; a page that cannot be made is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    timeout = CALL_SECONDS
    server: _Server

    def version_string(self) -> str:
        """Says nothing of what is installed."""
        return "labelloop"

    def do_GET(self) -> None:
        """One of the three pages."""
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            known = ", ".join(self.server.pages)
            self._send((404, JSON, json.dumps({"error": f"there are {known}"}).encode()))
        else:
            self._send(page(self.headers.get("Accept", "")))

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no events."""

    def _send(self, reply: Reply) -> None:
        status, kind, body = reply
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


def _metrics(meter: PrometheusMeter, readiness: Readiness, accept: str) -> Reply:
    missing = readiness.missing()
    for need in readiness.needs:
        meter.set(MISSING, need in missing, need)
    body, kind = meter.expose(accept)
    return 200, kind, body


def _ready(readiness: Readiness) -> Reply:
    missing = readiness.missing()
    told = {"ready": not missing, "missing": missing}
    return (503 if missing else 200), JSON, json.dumps(told).encode()
