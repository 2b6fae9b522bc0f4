"""The pages while PostgreSQL is away, and when it is back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from database_fixtures import private_server
from fastapi.testclient import TestClient
from private_postgres import PrivatePostgres
from review_house import SETTINGS, House, desk_of

from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom
from daemon.core.readiness import Answers, Readiness
from daemon.review.app import create_app

PAGE = {"accept": "text/html"}


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    """A server that a test may crash."""
    with private_server() as running:
        yield running


@pytest.fixture
def pages(server: PrivatePostgres, tmp_path: Path) -> Iterator[TestClient]:
    """The pages over a database of the server."""
    database = Database(server.url)
    database.migrate()
    house = House(tmp_path)
    services = replace(
        house.services,
        questions=QuestionRoom(database),
        desk=desk_of(database),
        readiness=Readiness({"database": Answers("the database", database.ping)}),
        settings=replace(SETTINGS, names=("testserver",)),
    )
    with TestClient(create_app(services)) as client:
        yield client
    house.close()
    database.close()


def test_calls_are_told_to_come_again_until_the_database_is_back(
    server: PrivatePostgres, pages: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    enrolled = {"name": "ann", "tier": "expert"}
    assert pages.post("/api/reviewers", json=enrolled).status_code == 200
    server.crash()
    for _ in range(2):  # on a connection that was open before, and on a new one
        refused = pages.post("/api/reviewers", json=enrolled)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert refused.json()["error"] == "the database does not answer"
        assert "postgres" not in refused.text
    page = pages.get("/", headers=PAGE)
    assert page.status_code == 503
    assert "The database does not answer." in page.text
    assert "Content-Security-Policy" in page.headers
    assert pages.get("/readyz").status_code == 503
    assert "database.url postgresql://tester:***@" in caplog.text
    server.start()
    assert pages.post("/api/reviewers", json=enrolled).status_code == 200
    assert pages.get("/readyz").status_code == 200


def test_calls_are_told_to_come_again_where_the_password_was_changed(
    server: PrivatePostgres, pages: TestClient
) -> None:
    """Who looks after the database changes it first and the program's variable then."""
    enrolled = {"name": "ann", "tier": "expert"}
    assert pages.post("/api/reviewers", json=enrolled).status_code == 200
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = current_user"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'rotated'")
        connection.execute(f"SELECT pg_terminate_backend(pid) {others}".encode())
        for _ in range(2):
            refused = pages.post("/api/reviewers", json=enrolled)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        (missing,) = pages.get("/readyz").json()["missing"].values()
        assert missing == "the database refuses this program; `labelloop check` says why"
        connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'secret'")
    assert pages.post("/api/reviewers", json=enrolled).status_code == 200
