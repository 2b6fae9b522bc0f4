"""Opening a database: addresses, transactions, the clock, the single worker of SQLite."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, make_url, select, update
from sqlalchemy.exc import DBAPIError

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.schema import counters
from daemon.core.errors import PartAway, SetupProblem
from daemon.core.readiness import NotReady


@pytest.mark.parametrize("url", ["nonsense", "mysql://user:geheim@host/name", "", "postgresql+asyncpg://h/n"])
def test_an_address_that_is_none_is_refused_with_examples(url: str) -> None:
    with pytest.raises(SetupProblem, match="is not a database address; for example sqlite:///") as problem:
        Database(url)
    assert "geheim" not in str(problem.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_needs_a_file(url: str) -> None:
    with pytest.raises(SetupProblem, match="names no file"):
        Database(url)


def test_sqlite_in_a_folder_that_is_missing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/labelloop.db")
    with pytest.raises(SetupProblem, match="its folder must exist and be writable"):
        database.migrate()
    database.close()


def test_a_new_file_is_waited_for_where_another_is_making_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/labelloop.db")
    other = sqlite3.connect(tmp_path / "labelloop.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as threads:
        opening = threads.submit(database.ping)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.3)
        other.rollback()
        with pytest.raises(NotReady):  # there, and without tables
            opening.result(timeout=10)
    other.close()
    database.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("what we thought about labels\n" * 200)
    database = Database(f"sqlite:///{tmp_path}/notes.txt")
    with pytest.raises(SetupProblem, match="this file is something else"):
        database.migrate()
    database.close()


@pytest.mark.parametrize(
    ("old", "new", "said", "exit_code"),
    [
        ("tester:secret", "tester:secret2", "refused the user name or password", 2),
        ("/postgres", "/nowhere", "no such database; make it with: createdb nowhere", 2),
        ("127.0.0.1:", "127.0.0.1:1", "no PostgreSQL server listens there", 75),
        ("127.0.0.1", "no-such-host.invalid", "no host of this name", 75),
    ],
)
def test_postgresql_that_does_not_let_us_in(
    postgres_server: str, old: str, new: str, said: str, exit_code: int
) -> None:
    if "tester:secret" not in postgres_server:
        pytest.skip("needs the private PostgreSQL server")
    address = postgres_server.replace(old, new)
    if new == "127.0.0.1:1":
        address = "postgresql://tester:secret@127.0.0.1:1/postgres"
    database = Database(address)
    with pytest.raises(SetupProblem, match=said) as problem:
        database.migrate()
    database.close()
    assert "secret" not in str(problem.value)
    assert problem.value.exit_code == exit_code


def test_a_user_of_postgresql_who_may_make_no_tables(postgres_server: str, empty_postgres: str) -> None:
    if "tester:secret" not in postgres_server:
        pytest.skip("needs the private PostgreSQL server")
    with psycopg.connect(empty_postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database = Database(empty_postgres.replace("tester:secret", "guest:guest"))
    with pytest.raises(SetupProblem, match="make them the owner of the database"):
        database.migrate()
    database.close()


def test_the_short_name_of_postgresql_is_understood(postgres_url: str) -> None:
    database = Database(postgres_url.replace("postgresql://", "postgres://"))
    with database.read() as connection:
        assert database.now(connection) > 1_700_000_000_000
    database.close()


def test_an_exception_rolls_everything_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute(insert(counters).values(name="a", value=1))
        raise ZeroDivisionError
    with database.read() as connection:
        assert connection.execute(select(counters)).all() == []


def test_a_reading_transaction_sees_one_moment(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(counters).values(name="a", value=1))
    with database.read() as reading:
        assert reading.execute(select(counters.c.value)).scalar_one() == 1
        with database.write() as writing:
            writing.execute(update(counters).values(value=2))
        assert reading.execute(select(counters.c.value)).scalar_one() == 1


def test_a_read_transaction_of_postgresql_cannot_write(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(DBAPIError, match="read-only"), database.read() as connection:
        connection.execute(insert(counters).values(name="a", value=1))
    database.close()


def test_writers_in_threads_wait_for_each_other(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(counters).values(name="a", value=0))

    def add() -> None:
        for _ in range(20):
            with database.write() as connection:
                query = select(counters.c.value).with_for_update()
                value = connection.execute(query).scalar_one()
                connection.execute(update(counters).values(value=value + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with database.read() as connection:
        assert connection.execute(select(counters.c.value)).scalar_one() == 80


def test_the_clock_is_the_databases_and_tests_move_it(database: Database, clock: MovableClock) -> None:
    with database.write() as connection:
        before = database.now(connection)
        clock.advance(3600)
        after = database.now(connection)
    assert 3_600_000 <= after - before < 3_660_000


def test_sqlite_refuses_a_second_worker_until_the_first_is_gone(tmp_path: Path) -> None:
    first = Database(f"sqlite:///{tmp_path}/labelloop.db")
    second = Database(f"sqlite:///{tmp_path}/labelloop.db")
    first.claim_single_worker()
    first.claim_single_worker()
    with pytest.raises(SetupProblem, match="SQLite serves one at a time"):
        second.claim_single_worker()
    first.close()
    second.claim_single_worker()
    second.close()


def test_postgresql_lets_any_number_of_workers_in(postgres_url: str) -> None:
    databases = [Database(postgres_url) for _ in range(2)]
    for database in databases:
        database.claim_single_worker()
        database.close()


@pytest.mark.postgres
def test_who_stands_still_in_a_transaction_holds_up_others_for_half_a_minute_at_most(
    postgres_url: str,
) -> None:
    database = Database(postgres_url)
    try:
        with database.write() as connection:
            said = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()
    finally:
        database.close()
    assert said == "30s"


@pytest.mark.postgres
def test_whose_transaction_was_ended_because_it_stood_still_only_has_to_start_again(
    postgres_url: str,
) -> None:
    """`labelloop up` gives the whole house up where a process ends and would do so again."""
    database = Database(postgres_url)
    try:
        with (
            pytest.raises(PartAway, match="stood still in a transaction") as problem,
            database.write() as connection,
        ):
            connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 50")
            time.sleep(0.5)  # nobody can be asked: to ask is to go on
            connection.exec_driver_sql("SELECT 1")
    finally:
        database.close()
    assert problem.value.exit_code == 75


@pytest.mark.postgres
def test_a_server_that_takes_no_writes_is_waited_for(empty_postgres: str) -> None:
    database = Database(empty_postgres)
    database.migrate()
    with psycopg.connect(empty_postgres, autocommit=True) as connection:
        name = make_url(empty_postgres).database
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    standby = Database(empty_postgres)
    with standby.read() as reading:
        assert reading.execute(select(counters)).all() == []
    with pytest.raises(PartAway, match=r"nothing can be written there .*standby"), standby.write() as writing:
        writing.execute(insert(counters).values(name="x", value=1))
    standby.close()
    database.close()


def test_a_file_that_may_not_be_written_any_more_is_waited_for(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/labelloop.db")
    database.migrate()
    with pytest.raises(PartAway, match="nothing can be written there now"), database.write() as writing:
        writing.exec_driver_sql("PRAGMA query_only = on")
        writing.execute(insert(counters).values(name="x", value=1))
    database.close()
