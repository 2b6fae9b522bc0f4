"""The pages of accounts: signing in, invitations, one's own account, everybody's."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from daemon.core.account_rows import Role
from daemon.core.account_rules import PASSWORD_LENGTH, Right, scopes_of
from daemon.review import visits
from daemon.review.account_api import own_session
from daemon.review.identity import own_tiers
from daemon.review.pages import Templates
from daemon.review.people_api import log, people
from daemon.review.services import ReviewServices

LINES_SHOWN = 100


def build(services: ReviewServices, templates: Templates) -> APIRouter:
    """All pages of accounts."""
    router = APIRouter(include_in_schema=False)
    _coming(router, templates)
    _staying(router, services, templates)
    return router


def _coming(router: APIRouter, templates: Templates) -> None:
    @router.get("/login")
    def login(next: str = "") -> Response:
        wanted = local_path(next)
        if visits.current().is_open or visits.current().account is not None:
            return RedirectResponse(wanted or "/", 303)
        return templates.page("login.html", wanted=wanted)

    @router.get("/invitation")
    def invitation() -> Response:
        return templates.page("invitation.html", shortest=PASSWORD_LENGTH.start)


def _staying(router: APIRouter, services: ReviewServices, templates: Templates) -> None:
    desk = services.desk

    @router.get("/account")
    def account() -> Response:
        mine, session = own_session()
        return templates.page(
            "account.html",
            account=mine,
            session=session,
            tiers=list(own_tiers(services)),
            scopes=[scope.value for scope in scopes_of(mine.role)],
            tokens=desk.sessions.tokens(mine.id),
            sessions=desk.sessions.sessions(mine.id),
            shortest=PASSWORD_LENGTH.start,
        )

    @router.get("/people")
    def everybody() -> Response:
        managing = visits.current().may(Right.MANAGE)
        known = people(services)
        return templates.page(
            "people.html",
            accounts=known.accounts,
            invitations=known.invitations,
            lines=log(services, LINES_SHOWN).lines if managing else [],
            managing=managing,
            roles=[role.value for role in Role],
            tiers=services.reviewed,
        )


def local_path(wanted: str) -> str:
    """The path if it is one of this server, else nothing: a link must lead nobody elsewhere."""
    parts = urlsplit(wanted)
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours and not parts.scheme and not parts.netloc else ""
