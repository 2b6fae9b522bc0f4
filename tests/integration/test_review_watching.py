"""What a monitoring system is told by the pages' server."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from metrics_for_tests import Told
from review_house import House

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
