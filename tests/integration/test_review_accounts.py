"""Signing in, invitations, and acting as nobody but oneself, over the REST API and a real database."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from patience import ANSWER_SECONDS
from review_house import PASSWORD, House, served
from starlette.testclient import TestClient

from daemon.core.account_rows import AccountState, Actor, Role, Scope
from daemon.core.account_rules import FREE_TRIES_BY_NAME, Right
from daemon.core.account_secrets import digest, new_token
from daemon.review.access import SESSION_COOKIE
from daemon.review.access_table import right_for
from daemon.review.account_pages import local_path
from daemon.review.app import create_app

HERE = "http://127.0.0.1"
OURS = {"Sec-Fetch-Site": "same-origin"}
ROOT = Actor("root")


def _client(house: House, headers: dict[str, str] | None = None, address: str = HERE) -> TestClient:
    made = TestClient(house.app(), base_url=address, follow_redirects=False)
    made.headers.update(OURS if headers is None else headers)
    return made


def _login(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    return client.post("/api/login", json={"name": name, "password": password}).status_code


def _signed_in(house: House, name: str, role: Role = Role.EXPERT, *tiers: str) -> TestClient:
    house.add_account(name, role, tiers or ("expert",))
    client = _client(house)
    assert _login(client, name) == 200
    return client


def _by_token(house: House, name: str, *scopes: Scope) -> TestClient:
    found = house.services.desk.accounts.find(name)
    assert found is not None
    token = new_token()
    house.services.desk.sessions.add_token(found.account.id, "test", scopes, digest(token), ROOT)
    return _client(house, {"Authorization": f"Bearer {token}"})


def _enroll(client: TestClient, name: str, tier: str = "expert") -> int:
    answer = client.post("/api/reviewers", json={"name": name, "tier": tier})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def test_signing_in_and_out(house: House) -> None:
    client = _signed_in(house, "Ann")
    assert client.get("/api/account").json()["account"]["name"] == "Ann"
    assert client.post("/api/logout", json={}).json() == {"ok": True}
    assert client.get("/api/account").status_code == 401
    assert _login(client, "ann") == 200
    stolen = client.cookies[SESSION_COOKIE]
    client.post("/api/logout", json={})
    client.cookies.set(SESSION_COOKIE, stolen)
    assert client.get("/api/account").status_code == 401


def test_wrong_names_and_wrong_passwords_look_the_same(house: House) -> None:
    house.add_account("ann")
    client = _client(house)
    wrong = {"name": "ann", "password": "not the right one"}
    refused = client.post("/api/login", json=wrong)
    assert refused.status_code == 401
    assert refused.json() == client.post("/api/login", json={**wrong, "name": "bob"}).json()
    assert SESSION_COOKIE not in client.cookies
    lines = [line for line in house.services.desk.accounts.log(10) if line.actor == "somebody"]
    assert {(line.action, line.address) for line in lines} == {("wrong password", "testclient")}
    assert [line.subject for line in lines] == ["an unknown name", "ann"]


def test_too_many_tries_wait_in_every_process(house: House) -> None:
    house.add_account("ann")
    first, second = _client(house), _client(house)
    for number in range(FREE_TRIES_BY_NAME + 1):
        client = (first, second)[number % 2]
        if _login(client, password="wrong wrong wrong") == 429:
            break
    told = second.post("/api/login", json={"name": "Ann", "password": PASSWORD})
    assert told.status_code == 429
    assert told.json()["error"].startswith("too many wrong passwords; try again in ")
    house.clock.advance(int(told.headers["retry-after"]))
    assert _login(second) == 200
    assert _login(first) == 200


def test_a_disabled_account_is_told_so_only_with_its_password(house: House) -> None:
    account = house.add_account("ann")
    house.services.desk.accounts.set_state(account.id, AccountState.DISABLED, ROOT)
    client = _client(house)
    told = client.post("/api/login", json={"name": "ann", "password": PASSWORD}).json()["error"]
    assert told == "this account is disabled"
    guessed = client.post("/api/login", json={"name": "ann", "password": "wrong wrong wrong"}).json()["error"]
    assert guessed == "name or password is wrong"


def test_cookies_cannot_be_read_by_scripts_or_sent_by_other_sites(house: House) -> None:
    house.add_account("ann")
    for address, marked in ((HERE, False), ("https://127.0.0.1", True)):
        said = _client(house, address=address).post("/api/login", json={"name": "ann", "password": PASSWORD})
        cookie = said.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
        assert ("secure" in cookie) is marked


@pytest.mark.parametrize("proxies", [(), ("192.0.2.1",), ("127.0.0.1",), ("127.0.0.0/8",)])
def test_only_a_named_proxy_is_believed_about_who_calls(house: House, proxies: tuple[str, ...]) -> None:
    account = house.add_account("ann")
    settings = replace(house.services.settings, proxies=proxies)
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    with served(house.app(), settings) as address:
        wish = {"name": "ann", "password": PASSWORD}
        answered = httpx.post(f"{address}/api/login", json=wish, headers=told, timeout=ANSWER_SECONDS)
        cookie = answered.headers["set-cookie"]
    believed = bool(proxies) and proxies[0].startswith("127.")
    assert ("secure" in cookie.lower()) is believed
    (session,) = house.services.desk.sessions.sessions(account.id)
    assert session.address == ("198.51.100.7" if believed else "127.0.0.1")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": HERE}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_calls_signed_by_a_cookie_must_come_from_our_pages(
    house: House, headers: dict[str, str], status: int
) -> None:
    cookie = _signed_in(house, "ann").cookies[SESSION_COOKIE]
    client = _client(house, headers)
    client.cookies.set(SESSION_COOKIE, cookie)
    wish = {"name": "ann", "tier": "expert"}
    assert client.post("/api/reviewers", json=wish).status_code == status


def test_calls_with_a_token_need_no_page_but_json(house: House) -> None:
    house.add_account("ann")
    client = _by_token(house, "ann", Scope.ANSWER)
    wish = {"name": "ann", "tier": "expert"}
    for extra in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert client.post("/api/reviewers", json=wish, headers=extra).status_code == 200
    form = client.post("/api/reviewers", content="x=1", headers={"Content-Type": "text/plain"})
    assert form.status_code == 415


def test_nobody_acts_as_another_reviewer(house: House) -> None:
    house.ask(["one", "two"])
    ann, bob = _signed_in(house, "ann"), _signed_in(house, "bob")
    (lead, token) = (_signed_in(house, "lea", Role.ADMIN, "expert"), _by_token(house, "bob", Scope.ANSWER))
    anns = _enroll(ann, "ann")
    lease = {"reviewer": anns, "tier": "expert"}
    (held,) = ann.post("/api/leases", json=lease).json()["leases"]
    question = held["question"]
    for other in (bob, lead, token):
        assert other.post("/api/reviewers", json={"name": "ann", "tier": "expert"}).status_code == 403
        assert other.post("/enter", json={"name": "ann", "tier": "expert"}).status_code == 403
        for path, body in (
            ("leases", lease),
            ("answers", {"question": question, "reviewer": anns, "label": "spam"}),
            ("skips", {"question": question, "reviewer": anns}),
            ("undo", {"reviewer": anns}),
        ):
            refused = other.post(f"/api/{path}", json=body)
            assert (refused.status_code, refused.json()["error"]) == (
                403,
                f"reviewer {anns} is somebody else",
            )
    assert house.standing_answers() == {}
    said = ann.post("/api/answers", json={"question": question, "reviewer": anns, "label": "spam"})
    assert said.status_code == 200
    assert house.standing_answers() == {"item-00": "spam"}
    assert bob.post("/api/leases", json={"reviewer": 999, "tier": "expert"}).status_code == 404


def test_every_call_that_names_a_reviewer_is_bound_to_the_account(house: House) -> None:
    ann, bob = _signed_in(house, "ann"), _signed_in(house, "bob")
    anns = _enroll(ann, "ann")
    spec = bob.get("/openapi.json").json()
    named = {}
    for path, calls in spec["paths"].items():
        schema = calls.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        body = spec["components"]["schemas"].get(
            schema.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {}
        )
        if "reviewer" in body.get("properties", {}) and right_for("POST", path) is Right.ANSWER:
            kinds = {name: body["properties"][name].get("type") for name in body["required"]}
            named[path] = {name: 1 if kind == "integer" else "expert" for name, kind in kinds.items()}
    assert {"/api/leases", "/api/answers", "/api/skips", "/api/undo"} <= set(named)
    for path, required in named.items():
        refused = bob.post(path, json={**required, "reviewer": anns})
        assert refused.status_code == 403, (path, refused.text)
        assert refused.json()["error"] == f"reviewer {anns} is somebody else"


def test_nobody_answers_in_a_tier_that_they_were_not_given(house: House) -> None:
    house.ask(["one"], tier="crowd")
    ann = _signed_in(house, "ann", Role.REVIEWER, "crowd")
    assert ann.get("/api/task").json()["tiers"] == ["crowd"]
    crowd = _enroll(ann, "ann", "crowd")
    (held,) = ann.post("/api/leases", json={"reviewer": crowd, "tier": "crowd"}).json()["leases"]
    refused = ann.post("/api/reviewers", json={"name": "ann", "tier": "expert"})
    assert (refused.status_code, refused.json()["help"]) == (403, "yours: crowd; ask an admin for others")
    expert = house.questions.enroll("ann", "expert").id
    assert ann.post("/api/leases", json={"reviewer": expert, "tier": "expert"}).status_code == 403
    found = house.services.desk.accounts.find("ann")
    assert found is not None
    house.services.desk.accounts.change(found.account.id, Role.EXPERT, ["expert"], ROOT)
    late = {"question": held["question"], "reviewer": crowd, "label": "spam"}
    assert ann.post("/api/answers", json=late).status_code == 403
    assert ann.post("/api/leases", json={"reviewer": expert, "tier": "expert"}).status_code == 200


def test_reviewers_see_how_much_waits_in_their_queues_and_not_why(house: House) -> None:
    house.ask(["one", "two"], tier="crowd")
    house.ask(["three"], tier="expert", prefix="other")
    ann = _signed_in(house, "ann", Role.REVIEWER, "crowd")
    (queue,) = ann.get("/api/queues").json()["queues"]
    assert (queue["tier"], queue["purpose"], queue["open"]) == ("crowd", "all", 2)


def test_the_review_page_takes_the_only_tier_or_asks(house: House) -> None:
    one = _signed_in(house, "one", Role.REVIEWER, "crowd")
    page = one.get("/review")
    assert page.status_code == 200 and 'data-tier="crowd"' in page.text
    two = _signed_in(house, "two", Role.EXPERT, "crowd", "expert")
    assert two.get("/review").headers["location"] == "/"
    assert 'name="name" value="two"' in two.get("/").text
    assert two.post("/enter", json={"name": "two", "tier": "expert"}).status_code == 200
    assert 'data-tier="expert"' in two.get("/review").text
    two.post("/api/logout", json={})
    assert _login(two, "one") == 200  # the other's choice is nobody else's
    assert 'data-tier="crowd"' in two.get("/review").text


def _links(client: TestClient) -> set[str]:
    """Where the pages' navigation leads; all of it is open to whoever sees it."""
    page = client.get("/api/docs").text
    nav = page[page.index("<nav") : page.index("</nav>")]
    found = {part.split('"')[0] for part in nav.split('href="')[1:]}
    assert [client.get(path).status_code for path in found] == [200] * len(found)
    return found


def test_pages_show_only_what_the_role_may_see(house: House) -> None:
    shown = {role: _links(_signed_in(house, role.value, role, "crowd")) for role in Role}
    assert shown[Role.REVIEWER] == shown[Role.EXPERT] == {"/review", "/api/docs", "/account"}
    assert shown[Role.LEAD] == shown[Role.ADMIN] >= {"/review", "/dashboard", "/insights", "/people"}
    lost = _signed_in(house, "ann").get("/dashboard", headers={"Accept": "text/html"})
    assert lost.status_code == 403
    assert "This is not for role expert" in lost.text
    assert 'href="/account"' in lost.text and 'href="/dashboard"' not in lost.text


def test_an_invitation_from_link_to_account(house: House) -> None:
    admin = _signed_in(house, "root", Role.ADMIN)
    wish = {"role": "reviewer", "tiers": ["crowd"], "name": None}
    made = admin.post("/api/people/invite", json=wish).json()
    secret = made["path"].removeprefix("/invitation#")
    guest = _client(house)
    told = guest.post("/api/invitation", json={"invitation": secret}).json()
    assert (told["role"], told["tiers"], told["invited_by"]) == ("reviewer", ["crowd"], "root")
    accept = {"invitation": secret, "name": "Gus", "password": "too short"}
    assert "at least 12" in guest.post("/api/invitation/accept", json=accept).json()["error"]
    accept["password"] = PASSWORD
    assert guest.post("/api/invitation/accept", json={**accept, "name": "ROOT"}).status_code == 409
    assert guest.post("/api/invitation/accept", json=accept).json() == {"to": "/review"}
    assert guest.get("/review").status_code == 200
    assert _client(house).post("/api/invitation", json={"invitation": secret}).status_code == 404
    again = _client(house).post("/api/invitation/accept", json={**accept, "name": "Eve"})
    assert again.status_code == 409
    names = [one["name"] for one in admin.get("/api/people").json()["accounts"]]
    assert names == ["Gus", "root"]


def test_the_truth_is_not_asked_of_reviewers(house: House) -> None:
    admin = _signed_in(house, "root", Role.ADMIN)
    wish = {"role": "reviewer", "tiers": ["expert"]}
    refused = admin.post("/api/people/invite", json=wish)
    assert refused.status_code == 422 and "give role expert" in refused.json()["error"]
    assert admin.post("/api/people/invite", json={**wish, "tiers": ["boss"]}).status_code == 422


def test_admins_change_rights_and_lock_out_at_once(house: House) -> None:
    admin, ann = _signed_in(house, "root", Role.ADMIN), _signed_in(house, "ann")
    (anns, roots) = [one["id"] for one in admin.get("/api/people").json()["accounts"]]
    assert ann.get("/api/overview").status_code == 403
    lead = {"account": anns, "role": "lead", "tiers": []}
    assert admin.post("/api/people/change", json=lead).json()["role"] == "lead"
    assert ann.get("/api/overview").status_code == 200
    assert ann.post("/api/people/change", json={**lead, "role": "admin"}).status_code == 403
    only = admin.post("/api/people/change", json={**lead, "account": roots})
    assert (only.status_code, "only admin" in only.json()["error"]) == (409, True)
    admin.post("/api/people/state", json={"account": anns, "state": "disabled"})
    assert ann.get("/api/overview").status_code == 401
    said = [(line["actor"], line["action"]) for line in admin.get("/api/people/log").json()["lines"]]
    assert said[:2] == [("root", "account disabled"), ("root", "rights changed")]
    assert admin.post("/api/people/state", json={"account": 99, "state": "active"}).status_code == 404


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(house: House) -> None:
    here = _signed_in(house, "ann")
    elsewhere = _client(house)
    assert _login(elsewhere) == 200
    change = {"old": "wrong wrong wrong", "new": "a better password"}
    assert here.post("/api/account/password", json=change).status_code == 422
    change["old"] = PASSWORD
    assert here.post("/api/account/password", json=change).json() == {"ok": True}
    assert here.get("/api/account").status_code == 200
    assert elsewhere.get("/api/account").status_code == 401
    assert _login(elsewhere) == 401
    assert _login(elsewhere, password=change["new"]) == 200


def test_own_tokens_are_made_used_and_revoked(house: House) -> None:
    ann = _signed_in(house, "ann")
    too_far = ann.post("/api/account/tokens", json={"name": "script", "scopes": ["manage"]})
    assert (too_far.status_code, too_far.json()["help"]) == (422, "yours: answer")
    made = ann.post("/api/account/tokens", json={"name": "script", "scopes": ["answer"]}).json()
    program = _client(house, {"Authorization": f"Bearer {made['token']}"})
    assert program.get("/api/account").json()["account"]["name"] == "ann"
    assert program.post("/api/account/tokens", json={"name": "x", "scopes": ["answer"]}).status_code == 403
    assert made["token"] not in ann.get("/account").text
    ann.post("/api/account/tokens/revoke", json={"id": made["id"]})
    assert program.get("/api/account").status_code == 401


def test_elsewhere_than_on_loopback_nothing_is_open_before_the_first_account(house: House) -> None:
    settings = replace(house.services.settings, host="0.0.0.0")
    app = create_app(replace(house.services, settings=settings))
    with TestClient(app, base_url="http://labels.example", follow_redirects=False) as client:
        assert client.get("/api/overview").status_code == 401
        assert client.get("/", headers={"Accept": "text/html"}).headers["location"] == "/login?next=/"
        assert client.get("/login").status_code == 200


def test_passwords_and_secrets_stand_in_no_log_and_no_table(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    client = _signed_in(house, "ann")
    client.post("/api/login", json={"name": "ann", "password": "my secret mistake"})
    client.post("/api/login", json={"name": "ann", "password": ["my secret mistake"]})
    client.post("/api/account/password", json={"old": PASSWORD, "new": "short one"})
    kept = Path(str(house.database.url.database)).read_bytes()
    kept += Path(f"{house.database.url.database}-wal").read_bytes()
    for secret in (PASSWORD, "my secret mistake", "short one", client.cookies[SESSION_COOKIE]):
        assert secret not in caplog.text
        assert secret.encode() not in kept


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "a\x7fb", "\ud800"])
def test_names_that_nobody_can_see_are_refused(house: House, name: str) -> None:
    body = json.dumps({"name": name, "password": PASSWORD})
    said = _client(house).post("/api/login", content=body, headers={"Content-Type": "application/json"})
    assert said.status_code == 422


def test_a_refused_body_does_not_say_the_password_back(house: House) -> None:
    answer = _client(house).post("/api/login", json={"name": "ann", "password": ["my secret mistake"]})
    assert answer.status_code == 422 and "my secret mistake" not in answer.text


def test_the_api_says_who_may_make_which_call(house: House) -> None:
    spec = _client(house).get("/openapi.json").json()
    assert set(spec["components"]["securitySchemes"]) == {"token", "session"}
    calls = spec["paths"]
    assert calls["/api/login"]["post"]["security"] == []
    assert calls["/api/answers"]["post"]["security"] == [{"token": []}, {"session": []}]
    assert calls["/api/account/password"]["post"]["security"] == [{"session": []}]
    assert "scope `answer`" in calls["/api/answers"]["post"]["description"]
    assert {"401", "403"} <= set(calls["/api/overview"]["get"]["responses"])


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/items/a?b=c", "/items/a?b=c"),
        ("//evil.example", ""),
        ("/\\evil.example", ""),
        ("https://evil.example", ""),
        ("javascript:alert(1)", ""),
        ("/\t/evil.example", ""),
        ("", ""),
    ],
)
def test_signing_in_leads_nowhere_else(wanted: str, path: str) -> None:
    assert local_path(wanted) == path
