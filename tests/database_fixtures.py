"""Databases for tests: fresh ones, on SQLite and on a private PostgreSQL."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from private_postgres import PrivatePostgres, server_binaries
from sqlalchemy import make_url

from daemon.adapters.store.engine import Database, MovableClock

TEMPLATE = "labelloop_template"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a PostgreSQL server on which databases may be made."""
    given = os.environ.get("LABELLOOP_TEST_POSTGRES")
    if given:
        yield given
        return
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither LABELLOOP_TEST_POSTGRES nor initdb (Debian: postgresql) is there")
    with PrivatePostgres(binaries) as server:
        yield server.url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Name of a migrated database that tests copy."""
    name = f"{TEMPLATE}_{secrets.token_hex(4)}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    database = Database(_address(postgres_server, name))
    database.migrate()
    database.close()
    yield name
    _administer(postgres_server, f"DROP DATABASE {name}")


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """Address of a database without any table."""
    yield from _fresh(postgres_server, "template1")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database without any table, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/labelloop.db"
    return str(request.getfixturevalue("empty_postgres"))


@pytest.fixture
def copied_postgres(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Address of a migrated, empty database."""
    yield from _fresh(postgres_server, postgres_template)


@pytest.fixture
def clock() -> MovableClock:
    """Moves the time of `database`."""
    return MovableClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, clock: MovableClock) -> Iterator[Database]:
    """A migrated, empty database of either kind, on the test's clock."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path}/labelloop.db", clock)
        opened.migrate()
    else:
        opened = Database(str(request.getfixturevalue("copied_postgres")), clock)
    yield opened
    opened.close()


def _fresh(server: str, template: str) -> Iterator[str]:
    name = f"labelloop_test_{secrets.token_hex(6)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _address(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _address(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())
