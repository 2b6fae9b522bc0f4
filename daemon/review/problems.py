"""Errors of the API: one JSON shape, {"error": what was wrong, "help": what to do}."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from daemon.core.errors import (
    AccountConflict,
    LeaseLost,
    LoginRefused,
    LoginWait,
    PasswordsBusy,
    ReviewerPaused,
    UnknownAccount,
    UnknownReviewer,
)

UNREADABLE = 400
"""What FastAPI answers to bytes that are no text; nothing else here does."""


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    error: str = Field(description="What was wrong, in one sentence.")
    help: str = Field(description="What to do about it.")


class Refused(Exception):
    """A request that cannot be served as it is."""

    def __init__(self, status: int, error: str, help_: str) -> None:
        super().__init__(error)
        self.status = status
        self.help = help_


def problem(status: int, error: str, help_: str) -> JSONResponse:
    """An error as the API tells it."""
    return JSONResponse({"error": error, "help": help_}, status)


MissingPage = Callable[[str, str], Response]
"""What is wrong and what to do, as a page."""


def install(app: FastAPI, missing: MissingPage) -> None:
    """Have every expected error answered in the API's shape; a browser that gets lost is shown a page."""

    @app.exception_handler(Refused)
    def _refused(_request: Request, error: Refused) -> Response:
        return problem(error.status, str(error), error.help)

    @app.exception_handler(LeaseLost)
    def _lost(_request: Request, error: LeaseLost) -> Response:
        return problem(409, str(error), "nothing was recorded; lease the next question")

    @app.exception_handler(UnknownReviewer)
    def _unknown(_request: Request, error: UnknownReviewer) -> Response:
        return problem(404, str(error), "POST /api/reviewers with name and tier gives an id")

    @app.exception_handler(ReviewerPaused)
    def _paused(_request: Request, error: ReviewerPaused) -> Response:
        return problem(403, str(error), "a lead sees why, and can let you go on")

    _install_accounts(app)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> Response:
        said = [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors()]
        return problem(422, "; ".join(said), "the fields of every call are described at /api/docs")

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404 and wants_page(request):
            return missing(f"there is no page {request.url.path}", "the pages that there are stand above")
        if error.status_code == UNREADABLE:
            return problem(422, "body: it is no JSON in UTF-8", "the body of every call is at /api/docs")
        return problem(error.status_code, str(error.detail), "the calls that there are: /api/docs")


def _install_accounts(app: FastAPI) -> None:
    @app.exception_handler(AccountConflict)
    def _conflict(_request: Request, error: AccountConflict) -> Response:
        return problem(409, str(error), "nothing was changed")

    @app.exception_handler(UnknownAccount)
    def _no_account(_request: Request, error: UnknownAccount) -> Response:
        return problem(404, str(error), "GET /api/people lists accounts")

    @app.exception_handler(LoginRefused)
    def _no_entry(_request: Request, error: LoginRefused) -> Response:
        return problem(401, str(error), "an admin can set a new password: labelloop users password NAME")

    @app.exception_handler(PasswordsBusy)
    def _busy(_request: Request, error: PasswordsBusy) -> Response:
        return problem(503, str(error), "nothing was changed")

    @app.exception_handler(LoginWait)
    def _wait(_request: Request, error: LoginWait) -> Response:
        refused = problem(429, str(error), "an admin can set a new password: labelloop users password NAME")
        refused.headers["Retry-After"] = str(error.seconds)
        return refused


def wants_page(request: Request) -> bool:
    """Browsers name HTML when a person goes somewhere; programs do not."""
    is_api = request.url.path.startswith(("/api/", "/static/"))
    return not is_api and "text/html" in request.headers.get("accept", "")


def _place(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path if part != "body") or "body"
