"""The API of the caller's own account: signing in and out, invitations, password, tokens, sessions."""

from fastapi import APIRouter, Request, Response

from daemon.core.account_rows import Account
from daemon.core.account_rules import SESSION_SECONDS, name_problem, password_problem, scopes_of
from daemon.core.account_secrets import digest, new_token
from daemon.core.errors import AccountConflict, LoginRefused
from daemon.review import visits
from daemon.review.access import NO_ACCOUNTS, SESSION_COOKIE
from daemon.review.account_bodies import (
    Acceptance,
    InvitationOut,
    InvitationSecret,
    Login,
    MeOut,
    NewPassword,
    NewToken,
    SignedIn,
    TokenOut,
    Which,
    Wish,
    account_out,
    invitation_out,
)
from daemon.review.api import INVALID, NOT_FOUND, Responses
from daemon.review.bodies import Done
from daemon.review.identity import own_tiers_of
from daemon.review.problems import Problem, Refused
from daemon.review.services import ReviewServices

THROTTLED: Responses = {
    429: {"model": Problem, "description": "Too many wrong passwords; Retry-After says when to try again."},
    503: {"model": Problem, "description": "Too many people sign in at this moment."},
}
LOGIN: Responses = {401: {"model": Problem, "description": "Name or password is wrong."}, **THROTTLED}
CONFLICT: Responses = {
    409: {"model": Problem, "description": "A name is taken, an invitation used, or no admin would be left."}
}


def build(services: ReviewServices) -> APIRouter:
    """All calls about the caller's own account."""
    router = APIRouter(prefix="/api", tags=["account"], responses=INVALID)
    _coming(router, services)
    _invitations(router, services)
    _keeping(router, services)
    _tokens(router, services)
    return router


def _coming(router: APIRouter, services: ReviewServices) -> None:
    desk = services.desk

    @router.post("/login", responses=LOGIN)
    def login(body: Login, request: Request, response: Response) -> SignedIn:
        """Sign in: sets the session's cookie."""
        address, agent = visits.current().address, request.headers.get("user-agent", "")
        account, secret = desk.sign_in(body.name, body.password, address, agent)
        _set_cookie(response, request, secret)
        return SignedIn(to=first_page(account, services))

    @router.post("/logout")
    def logout(_body: Wish, response: Response) -> Done:
        """End this session."""
        account, session = own_session()
        desk.sessions.close(account.id, session, visits.current().actor)
        response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
        return Done()


def _invitations(router: APIRouter, services: ReviewServices) -> None:
    desk = services.desk

    @router.post("/invitation", responses=NOT_FOUND)
    def look(body: InvitationSecret) -> InvitationOut:
        """What an invitation is for."""
        found = desk.accounts.invitation(digest(body.invitation))
        if found is None:
            raise Refused(
                404,
                "this invitation was used, withdrawn or has run out",
                "ask whoever sent it for another one",
            )
        return invitation_out(found)

    @router.post("/invitation/accept", responses=CONFLICT)
    def accept(body: Acceptance, request: Request, response: Response) -> SignedIn:
        """Make the account that an invitation is for, and sign in."""
        secret = digest(body.invitation)
        found = desk.accounts.invitation(secret)
        if found is None:
            raise AccountConflict("this invitation was used, withdrawn or has run out; ask for another one")
        name = found.grant.name or body.name or ""
        check(name_problem(name), "name")
        check(password_problem(body.password, name), "password")
        address = visits.current().address
        account = desk.accounts.accept(secret, name, desk.passwords.hash(body.password), address)
        _set_cookie(response, request, desk.open(account, address, request.headers.get("user-agent", "")))
        return SignedIn(to=first_page(account, services))


def _keeping(router: APIRouter, services: ReviewServices) -> None:
    desk = services.desk

    @router.get("/account")
    def get_account() -> MeOut:
        """Who makes this call."""
        account = visits.current().account
        return MeOut(account=None if account is None else account_out(account))

    @router.post("/account/password", responses=THROTTLED)
    def set_password(body: NewPassword) -> Done:
        """Another password; all other sessions end."""
        account, session = own_session()
        check(password_problem(body.new, account.name), "new")
        try:
            desk.check(account.name, body.old, visits.current().address)
        except LoginRefused:
            raise Refused(
                422, "old: this is not your password", "an admin can set a new one: labelloop users password"
            ) from None
        desk.accounts.set_password(account.id, desk.passwords.hash(body.new), visits.current().actor, session)
        return Done()

    @router.post("/account/sessions/end")
    def end_session(body: Which) -> Done:
        """Sign out elsewhere."""
        account, _ = own_session()
        desk.sessions.close(account.id, body.id, visits.current().actor)
        return Done()


def _tokens(router: APIRouter, services: ReviewServices) -> None:
    desk = services.desk

    @router.post("/account/tokens")
    def add_token(body: NewToken) -> TokenOut:
        """A token for a program, shown this once."""
        account, _ = own_session()
        possible = scopes_of(account.role)
        if beyond := [scope for scope in body.scopes if scope not in possible]:
            raise Refused(
                422,
                f"scopes: {beyond[0].value} is not for role {account.role.value}",
                f"yours: {', '.join(possible)}",
            )
        token = new_token()
        scopes = sorted(set(body.scopes))
        id_ = desk.sessions.add_token(account.id, body.name, scopes, digest(token), visits.current().actor)
        return TokenOut(id=id_, token=token)

    @router.post("/account/tokens/revoke")
    def revoke_token(body: Which) -> Done:
        """A token of yours counts no longer."""
        account, _ = own_session()
        desk.sessions.revoke_token(account.id, body.id, visits.current().actor)
        return Done()


def own_session() -> tuple[Account, int]:
    """Whose session this is; raises Refused if it is nobody's."""
    caller = visits.current().caller
    if caller is None or caller.session is None:
        raise Refused(404, *NO_ACCOUNTS)
    return caller.account, caller.session


def check(problem: str, field: str) -> None:
    """Raises Refused if there is a problem."""
    if problem:
        raise Refused(422, f"{field}: {problem}", "nothing was changed")


def first_page(account: Account, services: ReviewServices) -> str:
    """Where somebody goes on who has just signed in."""
    return "/review" if len(own_tiers_of(account, services)) == 1 else "/"


def _set_cookie(response: Response, request: Request, secret: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
