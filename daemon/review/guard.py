"""What keeps other sites out of these pages: checks on state-changing calls, and headers on every answer."""

from collections.abc import Mapping, Set
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.review.access import SAFE_METHODS, bearer, path_of
from daemon.review.problems import problem
from daemon.review.settings import LOOPBACK, ReviewSettings

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MAX_BODY_BYTES = 65_536


def policy(settings: ReviewSettings) -> str:
    """What pages may load: their own parts, and pictures from where the settings say."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' data:", *settings.image_origins)),
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def install(app: FastAPI, settings: ReviewSettings) -> None:
    """Guard every call of the app."""
    names = {*LOOPBACK, *settings.names} if settings.loopback_only else None
    app.add_middleware(Guard, headers={"Content-Security-Policy": policy(settings), **HEADERS}, names=names)


class Guard:
    """Refuses what other sites send, and puts the headers on every answer.

    Written for ASGI itself: `app.middleware` costs every call a task and two queues.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str], names: Set[str] | None) -> None:
        """Make one.

        Args:
            headers: of every answer that has none of the name.
            names: that this server may be called by; None: any.
        """
        self._app = app
        self._headers = headers
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refused = _wrong_name(request, self._names) or _refusal(request)
        may_be_kept = path_of(request).startswith("/static/")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), may_be_kept)
            await send(message)

        await (refused or self._app)(scope, receive, guarded)

    def _add_headers(self, headers: MutableHeaders, may_be_kept: bool) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        if not may_be_kept:
            headers.setdefault("Cache-Control", "no-store")


def _wrong_name(request: Request, names: Set[str] | None) -> Response | None:
    """A foreign name that was made to point at this machine would make a foreign page look like ours."""
    if names is None or request.url.hostname in names:
        return None
    return problem(
        421,
        f"this server is not called {request.url.hostname}",
        "list the name in review.names if it is yours",
    )


def _refusal(request: Request) -> Response | None:
    """Browsers name the page that a call comes from; a form of another site cannot send JSON unasked."""
    if "\0" in request.url.path or "%00" in request.url.query:
        return problem(400, "an address has no character 0", "check the address")
    if request.method in SAFE_METHODS:
        return None
    # No page of another site can add a token to a call without asking first, which is never granted.
    if bearer(request) is None and not _same_origin(request):
        return problem(403, "this call comes from a page of another site", "use the pages of this server")
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        return problem(
            415, f"the body is {media or 'of no type'}, not JSON", "send Content-Type: application/json"
        )
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        return problem(413, f"a body has at most {MAX_BODY_BYTES} bytes, and a stated length", "send less")
    return None


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
