"""A Label Studio in memory, for tests: the calls that we make, with replies as version 1.23.2 gives them."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

Reply = tuple[int, Any]

BAD_REQUEST, NOT_FOUND = 400, 404
SHORTEST_TITLE = 3


class FakeLabelStudio:
    """Projects, tasks and annotations of one organization.

    Attributes:
        token: what callers must show. projects, tasks: by id, as the API tells them.
        reachable: set to False for an outage. calls: method and path of each call.
    """

    def __init__(self, token: str = "fake-token") -> None:
        self.token = token
        self.reachable = True
        self.calls: list[tuple[str, str]] = []
        self.projects: dict[int, dict[str, Any]] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.users = {1: "ann@example.com"}
        self._ids = itertools.count(1)

    @property
    def transport(self) -> httpx.MockTransport:
        """For a client."""
        return httpx.MockTransport(self._answer)

    def annotate(self, task: int, result: list[dict[str, Any]], user: str, skip: bool = False) -> None:
        """What a person of this e-mail address does."""
        by_email = {email: number for number, email in self.users.items()}
        number = by_email.setdefault(user, len(self.users) + 1)
        self.users[number] = user
        annotation = {
            "id": next(self._ids),
            "result": result,
            "completed_by": number,
            "was_cancelled": skip,
            "created_at": datetime.now(UTC).isoformat(),
            "lead_time": 1.5,
            "task": task,
        }
        self.tasks[task]["annotations"].append(annotation)
        self.tasks[task]["is_labeled"] = not skip

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append((request.method, request.url.path))
        if not self.reachable:
            raise httpx.ConnectError("connection refused", request=request)
        if request.headers.get("Authorization") != f"Token {self.token}":
            return httpx.Response(401, json={"status_code": 401, "detail": "Invalid token."})
        code, reply = self._reply(request)
        return httpx.Response(code, json=reply)

    def _reply(self, request: httpx.Request) -> Reply:
        params, body = dict(request.url.params), json.loads(request.content or b"null")
        match [request.method, *request.url.path.strip("/").split("/")[1:]]:
            case ["GET", "projects"]:
                return self._list_projects(params["title"])
            case ["POST", "projects"]:
                return self._new_project(body)
            case ["PATCH", "projects", number]:
                self.projects[int(number)] |= body
                return 200, self.projects[int(number)]
            case ["POST", "projects", number, "import"]:
                return self._import(int(number), body)
            case ["GET", "tasks"]:
                return self._list_tasks(int(params["project"]), int(params["page_size"]), int(params["page"]))
            case ["POST", "dm", "actions"]:
                return self._delete(body["selectedItems"]["included"])
            case ["GET", "users"]:
                return 200, [{"id": number, "email": email} for number, email in self.users.items()]
        return NOT_FOUND, {"status_code": 404, "detail": "Not found."}

    def _list_projects(self, title: str) -> Reply:
        found = [one for one in self.projects.values() if title in one["title"]]
        return 200, {"count": len(found), "next": None, "previous": None, "results": found}

    def _new_project(self, body: Any) -> Reply:
        if len(body["title"]) < SHORTEST_TITLE:
            problems = {"title": ["Ensure this field has at least 3 characters."]}
            return BAD_REQUEST, {
                "status_code": 400,
                "detail": "Validation error",
                "validation_errors": problems,
            }
        number = len(self.projects) + 1
        self.projects[number] = {"id": number, **body}
        return 201, self.projects[number]

    def _import(self, project: int, body: Any) -> Reply:
        for one in body:
            number = next(self._ids)
            fresh = {"id": number, "project": project, "annotations": [], "is_labeled": False, "meta": {}}
            self.tasks[number] = {**fresh, "predictions": [], **one}
        return 201, {"task_count": len(body), "annotation_count": 0}

    def _list_tasks(self, project: int, size: int, page: int) -> Reply:
        found = [task for task in self.tasks.values() if task["project"] == project]
        shown = found[(page - 1) * size : page * size]
        if not shown and page > 1:
            return NOT_FOUND, {"status_code": 404, "detail": "Invalid page."}
        return 200, {"total": len(found), "tasks": shown}

    def _delete(self, numbers: Sequence[int]) -> Reply:
        gone = [number for number in numbers if self.tasks.pop(number, None)]
        return 200, {"processed_items": len(gone), "reload": False, "detail": f"Deleted {len(gone)} tasks"}
