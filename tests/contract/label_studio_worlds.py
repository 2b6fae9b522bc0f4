"""A Label Studio behind the adapter, made to look alike for the contract: in memory, recorded, and real.

What the real one said to each test lies in `label_studio_recordings`; with LABELLOOP_RECORD_LABEL_STUDIO=1
the tests against the real one write it anew.
"""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import vcr

from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.adapters.outside.label_studio.fake import FakeLabelStudio
from daemon.adapters.outside.label_studio.settings import LabelStudioSettings
from daemon.adapters.starting import free_port

TOKEN_ENV = "LABEL_STUDIO_TOKEN"
START_SECONDS = 170.0
RECORDINGS = Path(__file__).with_name("label_studio_recordings")
RECORDING = os.environ.get("LABELLOOP_RECORD_LABEL_STUDIO") == "1"
RECORDED_TOKEN = "recorded.personal.token"
NOBODYS_URL = "http://label-studio.invalid"


@contextmanager
def token_put_back() -> Iterator[None]:
    """Worlds set the token that their clients send; afterwards it is as it was."""
    kept = os.environ.get(TOKEN_ENV)
    try:
        yield
    finally:
        os.environ.pop(TOKEN_ENV, None)
        if kept is not None:
            os.environ[TOKEN_ENV] = kept


class World(Protocol):
    """A Label Studio with an administrator and people; `titles` are for new projects."""

    titles: Iterator[str]

    def client(self) -> LabelStudioClient:
        """As the administrator."""

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """Tasks of a project as people find them."""

    def annotate(self, task: int, result: list[dict[str, Any]], skip: bool = False) -> str:
        """Answer a task, or skip it; by whom."""


class FakeWorld:
    """In memory."""

    titles: Iterator[str]

    def __init__(self) -> None:
        self.studio = FakeLabelStudio()
        os.environ[TOKEN_ENV] = self.studio.token

    def client(self) -> LabelStudioClient:
        """As the administrator."""
        return LabelStudioClient(LabelStudioSettings("http://studio"), self.studio.transport)

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """Tasks of a project as people find them."""
        return [task for task in self.studio.tasks.values() if task["project"] == project]

    def annotate(self, task: int, result: list[dict[str, Any]], skip: bool = False) -> str:
        """Answer a task, or skip it; by whom."""
        self.studio.annotate(task, result, "ann@example.com", skip)
        return "ann@example.com"


class RealWorld:
    """A server of its own process on loopback."""

    titles: Iterator[str]

    def __init__(self, url: str, token: str, personal: str) -> None:
        self._url = url
        self._personal = personal
        self.clients: list[LabelStudioClient] = []
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=60)

    def close(self) -> None:
        """Disconnect."""
        for client in self.clients:
            client.close()
        self._http.close()

    def client(self) -> LabelStudioClient:
        """As the administrator, with a personal token."""
        os.environ[TOKEN_ENV] = self._personal
        self.clients.append(LabelStudioClient(LabelStudioSettings(self._url)))
        return self.clients[-1]

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """Tasks of a project as people find them."""
        reply = self._http.get("/api/tasks/", params={"project": project, "fields": "all", "page_size": 500})
        return list(reply.raise_for_status().json()["tasks"])

    def predict(self, project: int, backend: str, password: str) -> None:
        """Connect an ML backend to a project, and have it predict every task there."""
        model = {"project": project, "url": backend, "title": "ours", "auth_method": "BASIC_AUTH"}
        login = {"basic_auth_user": "any", "basic_auth_pass": password}
        made = self._http.post("/api/ml/", json=model | login)
        assert made.is_success, made.text
        chosen = {"selectedItems": {"all": True, "excluded": []}, "project": str(project)}
        action = {"id": "retrieve_tasks_predictions", "project": project}
        self._http.post("/api/dm/actions", params=action, json=chosen).raise_for_status()

    def annotate(self, task: int, result: list[dict[str, Any]], skip: bool = False) -> str:
        """Answer a task, or skip it; by whom."""
        body = {"result": result, "was_cancelled": skip, "lead_time": 1.5}
        self._http.post(f"/api/tasks/{task}/annotations/", json=body).raise_for_status()
        return "ann@example.com"


def recorded_world() -> RealWorld:
    """A real one as it was recorded; only within `played`."""
    return RealWorld(NOBODYS_URL, "recorded", RECORDED_TOKEN)


@contextmanager
def played(test: str) -> Iterator[None]:
    """What this test hears was recorded."""
    with _tape(test, "none") as tape:
        yield
        assert tape.all_played, "it asked less than when it was recorded; record it anew"


@contextmanager
def recorded(test: str) -> Iterator[None]:
    """What this test hears is written down."""
    _file(test).unlink(missing_ok=True)
    with _tape(test, "all"):
        yield


def _tape(test: str, mode: str) -> Any:
    recorder = vcr.VCR(
        serializer="json",
        record_mode=mode,
        match_on=("method", "path", "query", "body"),
        before_record_request=_anywhere,
        before_record_response=_bare,
        decode_compressed_response=True,
    )
    return recorder.use_cassette(str(_file(test)))


def _file(test: str) -> Path:
    return RECORDINGS / f"{test}.json"


def _anywhere(request: Any) -> Any:
    """Without what is another one each time: ports, tokens."""
    address = httpx.URL(request.uri)
    request.uri = NOBODYS_URL + address.raw_path.decode()
    request.headers = {}
    if address.path in ("/api/token/refresh/", "/api/ml/"):
        request.body = b"{}"
    return request


def _bare(response: dict[str, Any]) -> dict[str, Any]:
    """Without headers that say nothing to us, and without tokens."""
    kept = {name: value for name, value in response["headers"].items() if name.lower() == "content-type"}
    body = response["body"]["string"]
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if isinstance(said, dict) and "access" in said:
        body = b'{"access":"recorded"}'
    return {**response, "headers": kept, "body": {"string": body}}


@contextmanager
def real_world(program: str, folder: Path) -> Iterator[RealWorld]:
    """Start `label-studio` from where it is installed; gone at the end."""
    port, token = free_port(), secrets.token_hex(20)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept,
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USER_TOKEN": token,
        "ML_BLOCK_LOCAL_IP": "false",  # its ML backend is on loopback here
        "USE_DEFAULT_BANNED_SUBNETS": "false",
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    options = ["--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    person = ["--username", "ann@example.com", "--password", secrets.token_hex(12)]
    with (folder / "label-studio.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "start", *options, *person], stdout=log, stderr=log, env=environment, cwd=folder
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, folder / "label-studio.log")
        made = httpx.post(f"{url}/api/token/", headers={"Authorization": f"Token {token}"}, timeout=60)
        world = RealWorld(url, token, made.raise_for_status().json()["token"])
        yield world
        world.close()
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert process.poll() is None and time.monotonic() < until, log.read_text()[-3_000:]
        time.sleep(0.5)
