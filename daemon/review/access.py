"""Lets people and programs in: by a session's cookie or an API token, as far as the table of rights goes."""

import logging
import time
from collections.abc import Callable
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.core.account_rows import Caller
from daemon.core.account_rules import Right
from daemon.core.account_secrets import digest
from daemon.core.errors import SetupProblem
from daemon.core.signing_in import Desk
from daemon.review import visits
from daemon.review.access_table import right_for
from daemon.review.problems import problem, wants_page
from daemon.review.settings import ReviewSettings
from daemon.review.visits import Visit

log = logging.getLogger(__name__)

SESSION_COOKIE = "labelloop_session"
NO_ACCOUNTS = "there are no accounts yet", "labelloop users add NAME --role admin makes the first one"
DATABASE_AWAY = (
    "the database does not answer",
    "an answer at hand is not lost: pages send it again by themselves, programs should in a few seconds",
)
AGAIN_SECONDS = "2"
TELL_SECONDS = 10.0
"""Between two lines in the log that say why the database cannot be reached."""
HEALTH = ("/healthz", "/readyz")
"""Answered while the database, and with it every account, is out of reach."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

Refuse = Callable[[str, str, int, str], Response]
"""Makes a page of what is wrong, what to do, a status and a title."""


class Door:
    """Decides about each call before any route is asked."""

    def __init__(self, desk: Desk, settings: ReviewSettings, page: Refuse) -> None:
        self._desk = desk
        self._page = page
        self._is_closed = not settings.may_be_open
        self._told = -TELL_SECONDS

    def admit(self, request: Request) -> Visit | Response:
        """Who is let in; else the answer that says why not."""
        address = request.client.host if request.client else ""
        right = right_for(request.method, path_of(request))
        if not self._closed():
            visit = Visit(is_open=True, address=address)
            return (
                visit
                if right is None or visit.may(right)
                else self._refusal(request, visit, 404, *NO_ACCOUNTS)
            )
        caller, refused = self._caller(request)
        if refused is not None:
            return refused
        visit = Visit(caller, address=address)
        if right is not None and visit.may(right):
            return visit
        if caller is None:
            return _sign_in_first(request)
        if right is None:
            return self._refusal(
                request,
                visit,
                404,
                f"there is nothing at {request.method} {path_of(request)}",
                "check the address",
            )
        return self._refusal(request, visit, 403, *_why_not(caller, right))

    def _closed(self) -> bool:
        """From the first account on, for good: accounts never go."""
        if not self._is_closed:
            self._is_closed = self._desk.accounts.any()
        return self._is_closed

    def _caller(self, request: Request) -> tuple[Caller | None, Response | None]:
        """Who calls, by the token if there is one, else by the session."""
        token = bearer(request)
        if token is not None:
            known = self._desk.sessions.by_token(digest(token))
            wrong = problem(
                401, "this API token does not count", "it was revoked, or mistyped; make another one"
            )
            return known, (wrong if known is None else None)
        secret = request.cookies.get(SESSION_COOKIE)
        known = None if secret is None else self._desk.sessions.by_session(digest(secret))
        if known is not None and request.method not in SAFE_METHODS and not _names_its_page(request):
            return None, problem(
                403,
                "this call is signed by a cookie and does not say which page it comes from",
                "programs use an API token: Authorization: Bearer TOKEN",
            )
        return known, None

    def away(self, request: Request, error: SetupProblem) -> Response:
        """The answer while the database is out of reach or lets us in no more (its password was changed); why
        is for the log, not for who calls.
        """
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            log.warning("%s", error, extra={"action": "database_away"})
        refused = self._answer(request, 503, "Not there now", *DATABASE_AWAY)
        refused.headers["Retry-After"] = AGAIN_SECONDS
        return refused

    def _refusal(self, request: Request, visit: Visit, status: int, error: str, help_: str) -> Response:
        visits.begin(visit)  # a page shows where this caller may go
        title = "Not found" if status == 404 else "Not for you"
        return self._answer(request, status, title, error, help_)

    def _answer(self, request: Request, status: int, title: str, error: str, help_: str) -> Response:
        if wants_page(request):
            return self._page(error, help_, status, title)
        return problem(status, error, help_)


def install(app: FastAPI, door: Door) -> None:
    """Ask the door about every call, but for what everybody may have at any time."""
    app.add_middleware(_AtTheDoor, door=door)


class _AtTheDoor:
    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if (path := path_of(request)) in HEALTH or path.startswith("/static/"):
            await self._app(scope, receive, send)
            return
        try:
            await self._serve(request, scope, receive, send)
        except SetupProblem as error:
            await self._door.away(request, error)(scope, receive, send)

    async def _serve(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = await run_in_threadpool(self._door.admit, request)
        if isinstance(admitted, Response):
            await admitted(scope, receive, send)
            return
        visits.begin(admitted)
        await self._app(scope, receive, send)


def path_of(request: Request) -> str:
    """The path by which routes are found.

    `request.url` is put together with what the caller calls the host, and can be read as another path.
    """
    return str(request.scope["path"])


def bearer(request: Request) -> str | None:
    """The API token of a call, if it claims to have one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _names_its_page(request: Request) -> bool:
    """Browsers do; whether the page is ours is the guard's to see."""
    return "sec-fetch-site" in request.headers or "origin" in request.headers


def _sign_in_first(request: Request) -> Response:
    if wants_page(request) and request.method in SAFE_METHODS:
        wanted = path_of(request) + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted)}", 303)
    refused = problem(
        401,
        "this needs an account",
        "sign in at /login; programs send an API token: Authorization: Bearer TOKEN",
    )
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused


def _why_not(caller: Caller, right: Right) -> tuple[str, str]:
    if caller.scopes is not None and right is Right.OWN:
        return "an API token does not reach its owner's account", "sign in at /login"
    if caller.scopes is not None:
        scopes = ", ".join(caller.scopes)
        return (
            f"this token (scopes: {scopes}) does not reach that far",
            "make one with another scope at /account",
        )
    return f"this is not for role {caller.account.role.value}", "ask an admin if you need it"
