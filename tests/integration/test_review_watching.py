"""What a monitoring system is told by the pages' server."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi.testclient import TestClient
from kafka_fixtures import wait_until
from metrics_for_tests import Told
from patience import ANSWER_SECONDS
from review_house import House, address_of, running
from sqlalchemy import text

from daemon.adapters.store.upgrade import VERSIONS
from daemon.core.account_rows import Actor, Role, Scope
from daemon.core.account_secrets import digest, new_token
from daemon.core.states import PersonState

HERE = "http://127.0.0.1"


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.app(), base_url=HERE) as made:
        yield made


def test_metrics_agree_with_the_dashboard(house: House, client: TestClient) -> None:
    house.ask(["one", "two", "three"])
    house.clock.offset_ms += 5_000
    person = house.questions.enroll("ann", "expert")
    house.questions.lease(person.id, "expert", 1, 600)
    other = house.questions.enroll("ben", "expert")
    house.services.reviewers.set_state(other.id, PersonState.PAUSED, "", Actor("test"))
    told, shown = Told(client.get("/metrics").text), client.get("/api/overview").json()
    queue, money = {"tier": "expert", "purpose": "settle"}, {"tier": "expert", "currency": "USD"}
    assert sum(told.by("labelloop_loop_items", "state").values()) == shown["items"] == 3
    assert told.get("labelloop_loop_questions", **queue, state="open") == 2
    assert told.get("labelloop_loop_questions", **queue, state="leased") == 1
    assert (told.get("labelloop_loop_oldest_question_age_seconds", **queue) or 0) >= 5
    assert told.get("labelloop_loop_spent_today", **money, part="reserved") == 0.5
    assert told.get("labelloop_loop_allowance_today", **money) == 100
    assert told.get("labelloop_loop_people_paused", tier="expert") == 1


def test_a_scrape_looks_at_the_database_no_more_often_than_the_dashboard(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    overview = type(house.services.reports).overview
    monkeypatch.setattr(
        type(house.services.reports), "overview", lambda self: looks.append(1) or overview(self)
    )
    monkeypatch.setattr("daemon.review.api.OVERVIEW_SECONDS", 60.0)
    for path in ("/api/overview", "/metrics", "/metrics", "/api/overview"):
        assert client.get(path).status_code == 200
    assert len(looks) == 1


def test_prometheus_comes_in_with_a_token_for_reading(house: House, client: TestClient) -> None:
    account = house.add_account("ann", Role.LEAD)
    assert client.get("/metrics").status_code == 401
    token = new_token()
    house.services.desk.sessions.add_token(account.id, "prometheus", [Scope.READ], digest(token), Actor("t"))
    assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_server_without_its_database_lives_and_is_not_ready(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").json() == {"ready": True, "missing": {}}

    def gone() -> None:
        raise ConnectionError("host=secret")

    monkeypatch.setattr(house.services.readiness.needs["database"], "_ask", gone)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"database": "the database does not answer (ConnectionError)"}


@pytest.mark.parametrize("version", [VERSIONS[-2], "9999"])
def test_a_server_whose_database_has_another_version_s_tables_is_not_ready(
    house: House, client: TestClient, version: str
) -> None:
    """As after a backup was brought back, or when a newer program has updated it."""
    with house.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    said = f"the database has the tables of version {version}, and this program needs those of version "
    assert answer.json()["missing"] == {"database": said + VERSIONS[-1]}


def test_a_server_without_any_table_is_not_ready(house: House, client: TestClient) -> None:
    with house.database.write() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    assert "no tables" in client.get("/readyz").json()["missing"]["database"]


def test_a_server_that_shuts_down_is_not_asked_any_more_and_finishes_what_it_was_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, leave = threading.Event(), threading.Event()
    overview = type(house.services.reports).overview

    def slow(self: object) -> object:
        begun.set()
        leave.wait(20)
        return overview(self)

    monkeypatch.setattr(type(house.services.reports), "overview", slow)
    with (
        ThreadPoolExecutor(1) as pool,
        httpx.Client(timeout=ANSWER_SECONDS) as client,
        running(house.app()) as server,
    ):
        address = address_of(server)
        assert client.get(f"{address}/readyz").status_code == 200
        under_way = pool.submit(httpx.get, f"{address}/api/overview", timeout=20)
        assert begun.wait(20)
        server.should_exit = True
        wait_until(lambda: refused(client, f"{address}/readyz"), 4, "no further call is taken")
        leave.set()
        assert under_way.result().status_code == 200


def refused(client: httpx.Client, address: str) -> bool:
    """Whether nobody takes the call, also on a connection that was open before."""
    try:
        client.get(address)
    except httpx.TransportError:
        return True
    return False
