"""Calls to Label Studio's REST API (https://api.labelstud.io), as far as they are needed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from daemon.adapters.outside.label_studio.settings import LabelStudioSettings
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideUnavailable

PAGE = 100
"""Tasks read at once."""

Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class _NotThere(SetupProblem):
    """What was asked for does not exist there."""


class LabelStudioClient:
    """One Label Studio, as one user.

    Raises from every call OutsideUnavailable where trying again may help, SetupProblem where somebody must
    change the configuration first.
    """

    def __init__(self, settings: LabelStudioSettings, transport: httpx.BaseTransport | None = None) -> None:
        """`transport`: for tests. Raises SetupProblem if address or token are not there."""
        if settings.url is None:
            raise SetupProblem("label_studio.url is not set; it is the address of a Label Studio")
        self._token = settings.token()
        self._http = httpx.Client(
            base_url=settings.url.rstrip("/"), timeout=settings.timeout_seconds, transport=transport
        )
        self._header = "" if self._is_personal else f"Token {self._token}"

    def project(self, title: str, config: str) -> int:
        """Id of the project of this title, made if there is none; its labeling config is set to this one."""
        for page in self._pages("/api/projects/", {"title": title, "page_size": str(PAGE)}):
            for found in page["results"]:
                if found["title"] == title:
                    if found["label_config"] != config:
                        self._call("PATCH", f"/api/projects/{found['id']}/", {"label_config": config})
                    return int(found["id"])
        made = {"title": title, "label_config": config, "maximum_annotations": 1}
        return int(self._call("POST", "/api/projects/", made)["id"])

    def tasks(self, project: int) -> Iterator[Mapping[str, Any]]:
        """All tasks of a project, with their annotations."""
        number, seen, total = 1, 0, 1
        while seen < total:
            wanted = {"project": project, "fields": "all", "page_size": PAGE, "page": number}
            try:
                found = self._call("GET", "/api/tasks/", params=wanted)
            except _NotThere:
                if number == 1:
                    raise
                return  # so many were deleted since the page before that this one is gone
            tasks, total = found["tasks"], int(found["total"])
            if not tasks:
                return
            yield from tasks
            number, seen = number + 1, seen + len(tasks)

    def add(self, project: int, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Add tasks, with their predictions."""
        self._call("POST", f"/api/projects/{project}/import", tasks)

    def delete(self, project: int, tasks: Sequence[int]) -> None:
        """Delete tasks with their annotations; those that are gone already are no error."""
        chosen = {"all": False, "included": list(tasks)}
        body = {"selectedItems": chosen, "project": str(project)}
        self._call("POST", "/api/dm/actions", body, {"id": "delete_tasks", "project": project})

    def names(self) -> dict[int, str]:
        """What users are called: their e-mail address, by which Label Studio knows them."""
        return {int(user["id"]): str(user["email"]) for user in self._call("GET", "/api/users/")}

    def close(self) -> None:
        """Disconnect."""
        self._http.close()

    @property
    def _is_personal(self) -> bool:
        """Personal tokens are JSON web tokens, which are exchanged for one that is good for minutes."""
        return self._token.count(".") == 2

    def _pages(self, path: str, params: Mapping[str, str]) -> Iterator[Any]:
        number = 1
        while True:
            page = self._call("GET", path, params={**params, "page": number})
            yield page
            if not page["next"]:
                return
            number += 1

    def _call(
        self, method: str, path: str, body: Body | None = None, params: Mapping[str, Any] | None = None
    ) -> Any:
        if not self._header:
            self._renew()
        reply = self._send(method, path, body, params)
        if reply.status_code == httpx.codes.UNAUTHORIZED and self._is_personal:
            self._renew()
            reply = self._send(method, path, body, params)
        return _read(reply, path)

    def _renew(self) -> None:
        self._header = ""  # what has run out must not stand beside what gets a new one
        reply = self._send("POST", "/api/token/refresh/", {"refresh": self._token}, None)
        self._header = f"Bearer {_read(reply, 'the token')['access']}"

    def _send(
        self, method: str, path: str, body: Body | None, params: Mapping[str, Any] | None
    ) -> httpx.Response:
        headers = {"Authorization": self._header} if self._header else {}
        try:
            return self._http.request(method, path, json=body, params=params, headers=headers)
        except httpx.HTTPError as error:
            told = str(error) or type(error).__name__
            raise OutsideUnavailable(f"Label Studio at {self._http.base_url}: {told}") from error


def _read(reply: httpx.Response, what: str) -> Any:
    code = reply.status_code
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise SetupProblem(
            f"Label Studio refuses the token (HTTP {code} at {what}); set the variable that "
            "label_studio.token_env names to an access token that is valid"
        )
    if code >= httpx.codes.INTERNAL_SERVER_ERROR or code == httpx.codes.TOO_MANY_REQUESTS:
        raise OutsideUnavailable(f"Label Studio answers HTTP {code} at {what}")
    if code >= httpx.codes.BAD_REQUEST:
        kind = _NotThere if code == httpx.codes.NOT_FOUND else SetupProblem
        raise kind(f"Label Studio refuses {what} (HTTP {code}): {reply.text[:500]}")
    try:
        return reply.json() if reply.content else None
    except ValueError as error:
        raise OutsideUnavailable(f"Label Studio sends no JSON at {what}; is it Label Studio?") from error
