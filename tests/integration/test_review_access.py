"""Who may call which route: every route of the app x every role x nobody x every scope of a token."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.routing import iter_route_contexts
from review_house import House
from starlette.testclient import TestClient

from daemon.core.account_rows import Actor, Role, Scope
from daemon.core.account_secrets import digest, new_secret, new_token
from daemon.review.access import SESSION_COOKIE
from daemon.review.access_table import TABLE, right_for
from daemon.review.app import create_app

HERE = "http://127.0.0.1"
OURS = {"Sec-Fetch-Site": "same-origin"}

NOBODYS = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/static/{path:path}"),
    ("GET", "/login"),
    ("POST", "/api/login"),
    ("GET", "/invitation"),
    ("POST", "/api/invitation"),
    ("POST", "/api/invitation/accept"),
}
"""What anybody may call. Whoever adds to this gives it to the whole world."""

REVIEWERS = NOBODYS | {
    ("GET", "/"),
    ("GET", "/account"),
    ("GET", "/api/account"),
    ("GET", "/api/docs"),
    ("GET", "/api/queues"),
    ("GET", "/api/task"),
    ("GET", "/openapi.json"),
    ("GET", "/review"),
    ("POST", "/api/account/password"),
    ("POST", "/api/account/sessions/end"),
    ("POST", "/api/account/tokens"),
    ("POST", "/api/account/tokens/revoke"),
    ("POST", "/api/answers"),
    ("POST", "/api/flags"),
    ("POST", "/api/leases"),
    ("POST", "/api/logout"),
    ("POST", "/api/reviewers"),
    ("POST", "/api/skips"),
    ("POST", "/api/undo"),
    ("POST", "/enter"),
}
"""What reviewers and experts may call: their own queue, their own account, the API's description."""

OWN = {route for route in REVIEWERS if "account" in route[1] or "logout" in route[1]} - {
    ("GET", "/api/account")
}
ANSWERING = {
    ("GET", "/review"),
    ("POST", "/api/answers"),
    ("POST", "/api/flags"),
    ("POST", "/api/leases"),
    ("POST", "/api/reviewers"),
    ("POST", "/api/skips"),
    ("POST", "/api/undo"),
    ("POST", "/enter"),
}
LEADING = {
    ("GET", "/api/truths"),
    ("POST", "/api/reviewers/state"),
    ("POST", "/api/truths"),
    ("POST", "/api/truths/forget"),
}
"""What leads and admins do; reading alone does not reach it."""

MANAGING = {
    ("GET", "/api/people/log"),
    ("POST", "/api/people/change"),
    ("POST", "/api/people/invitations/withdraw"),
    ("POST", "/api/people/invite"),
    ("POST", "/api/people/state"),
}
"""What only admins may call."""

PEOPLE = {("GET", "/people"), ("GET", "/api/people")}
ROUTES = {(method, path) for method, path, _ in TABLE}
ANY_TOKEN = REVIEWERS - OWN - ANSWERING


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.app(), base_url=HERE, follow_redirects=False) as made:
        yield made


def _served(house: House) -> set[tuple[str, str]]:
    """(method, path) of every route of the app; HEAD goes with GET."""
    found = set()
    for route in iter_route_contexts(house.app().routes):
        if route.methods is None:  # a mounted folder
            found.add(("GET", f"{route.path}/{{path:path}}"))
        else:
            found |= {(method, str(route.path)) for method in route.methods - {"HEAD"}}
    return found


def test_every_route_is_in_the_table_and_the_table_has_no_other(house: House) -> None:
    assert _served(house) == ROUTES


def test_no_row_of_the_table_hides_another() -> None:
    for method, path, right in TABLE:
        assert right_for(method, _example(path)) is right, path


def _example(path: str) -> str:
    return re.sub(r"\{\w+(:path)?\}", "1", path)


def _let_in(client: TestClient, headers: dict[str, str]) -> set[tuple[str, str]]:
    """Routes whose door opens to calls with these headers. What stands behind it may complain of the body."""
    found = set()
    # Signing out comes last.
    for method, path in sorted(ROUTES, key=lambda route: (route[1] == "/api/logout", route)):
        body = {"json": {}} if method == "POST" else {}
        answer = client.request(method, _example(path), headers=headers, **body)
        led_away = answer.status_code == 303 and answer.headers["location"].startswith("/login")
        if answer.status_code not in (401, 403) and not led_away:
            found.add((method, path))
        assert answer.status_code < 500, path
    return found


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.REVIEWER, REVIEWERS),
        (Role.EXPERT, REVIEWERS),
        (Role.LEAD, ROUTES - MANAGING),
        (Role.ADMIN, ROUTES),
    ],
)
def test_sessions_of_each_role(
    house: House, client: TestClient, role: Role, expected: set[tuple[str, str]]
) -> None:
    account = house.add_account("ann", role, ["crowd"])
    secret = new_secret()
    house.services.desk.sessions.open(account.id, digest(secret), "", "")
    assert _let_in(client, {"Cookie": f"{SESSION_COOKIE}={secret}", **OURS}) == expected


def test_nobody_gets_beyond_the_door(house: House, client: TestClient) -> None:
    house.add_account("ann")
    assert _let_in(client, {}) == NOBODYS
    assert _let_in(client, {"Cookie": f"{SESSION_COOKIE}={new_secret()}", **OURS}) == NOBODYS


def test_a_token_that_does_not_count_opens_nothing(house: House, client: TestClient) -> None:
    house.add_account("ann", Role.ADMIN)
    always = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/static/{path:path}")}
    assert _let_in(client, {"Authorization": f"Bearer {new_token()}"}) == always


OF_SCOPE = {
    Scope.ANSWER: ANSWERING,
    Scope.READ: ROUTES - REVIEWERS - LEADING - MANAGING,
    Scope.MANAGE: LEADING | MANAGING | PEOPLE,
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("scope", list(Scope))
def test_tokens_of_each_scope_and_role(house: House, client: TestClient, role: Role, scope: Scope) -> None:
    account = house.add_account("ann", role, ["crowd"])
    token = new_token()
    house.services.desk.sessions.add_token(account.id, "test", [scope], digest(token), Actor("test"))
    of_role = {Role.LEAD: ROUTES - MANAGING, Role.ADMIN: ROUTES}.get(role, REVIEWERS)
    expected = ANY_TOKEN | (OF_SCOPE[scope] & of_role)
    assert _let_in(client, {"Authorization": f"Bearer {token}"}) == expected


def test_without_accounts_everything_but_accounts_is_open_on_loopback(client: TestClient) -> None:
    closed = {
        (method, path)
        for method, path in ROUTES
        if path.startswith(("/api/people", "/people", "/account", "/api/account/", "/api/logout"))
    }
    for method, path in sorted(ROUTES):
        body = {"json": {}} if method == "POST" else {}
        answer = client.request(method, _example(path), **body)
        assert (answer.status_code not in (401, 403)) or path == "/api/login", path
        if (method, path) in closed:
            assert answer.json()["error"] == "there are no accounts yet", path


def test_the_first_account_shuts_the_pages_at_once(house: House, client: TestClient) -> None:
    assert client.get("/api/overview").status_code == 200
    house.add_account("ann")
    refused = client.get("/api/overview")
    assert (refused.status_code, set(refused.json())) == (401, {"error", "help"})
    assert refused.headers["www-authenticate"] == "Bearer"
    browser = client.get("/items/a%20b?x=1", headers={"Accept": "text/html"})
    assert (browser.status_code, browser.headers["location"]) == (303, "/login?next=/items/a%20b%3Fx%3D1")
    assert "content-security-policy" in browser.headers
    assert client.get("/nowhere").status_code == 401


def test_a_route_that_is_not_in_the_table_is_served_to_nobody(house: House) -> None:
    account = house.add_account("ann", Role.ADMIN)
    app = house.app()
    app.get("/forgotten")(lambda: "secret")
    token = new_token()
    scopes = list(Scope)
    house.services.desk.sessions.add_token(account.id, "test", scopes, digest(token), Actor("test"))
    with TestClient(app, base_url=HERE) as client:
        answer = client.get("/forgotten", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404
    assert "secret" not in answer.text


HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "path"),
    [
        (f"{HOST}/static", "/api/overview"),
        (f"{HOST}/static/x?", "/api/overview"),
        (f"{HOST}/login#", "/api/overview"),
        (HOST, "/login?/api/overview"),
        (HOST, "/healthz#/api/overview"),
    ],
)
def test_no_spelling_of_host_or_path_leads_around_the_door(house: House, host: str, path: str) -> None:
    house.add_account("ann")
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", host.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8400),
    }
    settings = replace(house.services.settings, host="0.0.0.0")  # where any name may be asked for
    asyncio.run(create_app(replace(house.services, settings=settings))(scope, receive, send))
    assert sent[0]["status"] == 401
