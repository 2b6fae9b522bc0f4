"""Databases for tests: empty and migrated for each test, on SQLite and on a private PostgreSQL."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
import pytest
from certificates import Issued
from clocks import at_noon
from private_postgres import PrivatePostgres, server_binaries
from sqlalchemy import make_url

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import metadata


@dataclass
class Shared:
    """A database of many tests, and a connection that outlasts those that do not end it."""

    address: str
    connection: psycopg.Connection

    def cleared(self) -> str:
        """Its address, once nobody else is connected and nothing is in it."""
        try:
            self._clear()
        except psycopg.OperationalError:  # a test ended all connections
            self.connection = psycopg.connect(self.address, autocommit=True)
            self._clear()
        return self.address

    def _clear(self) -> None:
        # Much quicker than a new database for each test; all in one go than one by one.
        self.connection.execute(
            "; ".join(
                [
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()",
                    *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
                    "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'",
                ]
            ).encode()
        )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a PostgreSQL server on which databases may be made."""
    given = os.environ.get("LABELLOOP_TEST_POSTGRES")
    if given:
        yield given
        return
    with private_server() as server:
        yield server.url


def private_server(certificate: Issued | None = None, clients: Path | None = None) -> PrivatePostgres:
    """A PostgreSQL server of one's own, to be entered; skips the test where none is installed.

    With a certificate it lets nobody in without TLS; with an authority of `clients`, nobody without one of
    its certificates.
    """
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither LABELLOOP_TEST_POSTGRES nor initdb (Debian: postgresql) is there")
    return PrivatePostgres(binaries, certificate, clients=clients)


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """Address of a database without any table."""
    yield from _new_database(postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database without any table, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/labelloop.db"
    return str(request.getfixturevalue("empty_postgres"))


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[Shared]:
    """A migrated database that tests use one after the other."""
    for address in _new_database(postgres_server):
        _migrate(address)
        shared = Shared(address, psycopg.connect(address, autocommit=True))
        yield shared
        shared.connection.close()


@pytest.fixture
def postgres_url(migrated_postgres: Shared) -> str:
    """Address of a migrated database with nothing in it."""
    return migrated_postgres.cleared()


@pytest.fixture(scope="module")
def postgres_of_a_module(migrated_postgres: Shared) -> str:
    """As `postgres_url`, for what all tests of a module look at."""
    return migrated_postgres.cleared()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Address of a migrated database with nothing in it."""
    return blank_sqlite(tmp_path / "labelloop.db")


@pytest.fixture
def clock() -> MovableClock:
    """Moves the time of `database`, which begins at noon."""
    return at_noon(MovableClock())


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, clock: MovableClock) -> Iterator[Database]:
    """A migrated, empty database of either kind, on the test's clock."""
    wanted = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    opened = Database(str(request.getfixturevalue(wanted)), clock)
    yield opened
    opened.close()


def blank_sqlite(path: Path) -> str:
    """Address of a new file there: a migrated database with nothing in it.

    To copy one takes a hundredth of the time that all migrations take.
    """
    with path.open("xb") as file:
        file.write(_blank())
    return f"sqlite:///{path}"


@cache
def _blank() -> bytes:
    """Content of the file, once a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


def _migrate(address: str) -> None:
    database = Database(address)
    database.migrate()
    database.close()


def _new_database(server: str) -> Iterator[str]:
    name = f"labelloop_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
