"""`make audit` against a service that speaks as OSV does, one that speaks otherwise, and none."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

from daemon.adapters.starting import free_port

SCRIPT = Path(__file__).parents[3] / ".ci" / "audit.py"
ADVISORY = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-1"],
    "summary": "opens every door",
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Service(http.server.BaseHTTPRequestHandler):
    """Knows one advisory; `server.answers` says how it answers."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = self.server.answers(asked)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Not here."""


@pytest.fixture
def service() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.answers = knows  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def knows(asked: dict[str, Any]) -> tuple[int, bytes]:
    """As OSV answers."""
    leaky = asked["package"]["name"] == "leaky" and asked["version"] == "1.0"
    return 200, json.dumps({"vulns": [ADVISORY]} if leaky else {}).encode()


def audit(folder: Path, port: int, ignore: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "constraints.txt").write_text("# all versions\nleaky==1.0\nsound==2.0\n")
    (folder / "pyproject.toml").write_text(f"[tool.labelloop.audit.ignore]\n{ignore}\n")
    command = [sys.executable, str(SCRIPT), "--service", f"http://127.0.0.1:{port}/v1/query"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60 * PATIENCE, check=False
    )


def test_a_known_vulnerability_fails_and_says_what_mends_it(
    tmp_path: Path, service: http.server.ThreadingHTTPServer
) -> None:
    done = audit(tmp_path, service.server_port)
    assert done.returncode == 1
    assert "leaky 1.0 is vulnerable: CVE-2026-1, GHSA-aaaa-bbbb-cccc; take 1.1" in done.stdout
    assert "sound" not in done.stdout


@pytest.mark.parametrize("name", ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1"])
def test_what_is_ignored_with_a_reason_passes(
    tmp_path: Path, service: http.server.ThreadingHTTPServer, name: str
) -> None:
    done = audit(tmp_path, service.server_port, f'{name} = "that door is not ours"')
    assert (done.returncode, done.stdout) == (0, "audit: nothing known against the 2 versions\n")


def test_what_is_ignored_without_a_reason_fails(
    tmp_path: Path, service: http.server.ThreadingHTTPServer
) -> None:
    done = audit(tmp_path, service.server_port, 'CVE-2026-1 = ""')
    assert done.returncode == 1
    assert "ignores CVE-2026-1 without saying why" in done.stderr


def test_where_nobody_answers_one_line_says_so_and_nothing_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, free_port())
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1 and "skipped" in done.stdout and "cannot be reached" in done.stdout


def test_what_is_no_advisory_service_counts_as_nobody(
    tmp_path: Path, service: http.server.ThreadingHTTPServer
) -> None:
    for answer in ((404, b"{}"), (200, b"<html>who are you</html>")):
        service.answers = lambda _, answer=answer: answer  # type: ignore[attr-defined]
        done = audit(tmp_path, service.server_port)
        assert (done.returncode, done.stdout.count("skipped")) == (0, 1)


def test_an_audit_that_breaks_off_is_no_clean_one(
    tmp_path: Path, service: http.server.ThreadingHTTPServer
) -> None:
    def fails(asked: dict[str, Any]) -> tuple[int, bytes]:
        return (500, b"") if asked["package"]["name"] == "sound" else (200, b"{}")

    service.answers = fails  # type: ignore[attr-defined]
    done = audit(tmp_path, service.server_port)
    assert done.returncode == 1
    assert "broke off" in done.stdout


def test_this_project_says_why_it_ignores_what_it_ignores() -> None:
    command = [sys.executable, str(SCRIPT), "--service", f"http://127.0.0.1:{free_port()}/"]
    done = subprocess.run(command, cwd=SCRIPT.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
