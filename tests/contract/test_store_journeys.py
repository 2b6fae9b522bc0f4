"""Connections to a server that are used again, and statements that go to it together."""

import psycopg
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from daemon.adapters.store import engine
from daemon.adapters.store.bulk import together
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.rehearsal import rehearse
from daemon.adapters.store.schema import budgets, counters, metadata, questions, spend
from daemon.core.errors import PartAway


def _count(database: Database, name: str = "n") -> int:
    with database.glance() as connection:
        return int(connection.execute(select(func.count()).where(counters.c.name == name)).scalar_one())


def _end_all(postgres_url: str) -> None:
    """End what lies in the pools, as a restart of the server does."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_the_server_ended_while_it_lay_still_is_replaced_unnoticed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FRESH_SECONDS", 0.0)
    database = Database(postgres_url)
    assert _count(database) == 0
    _end_all(postgres_url)
    assert _count(database) == 0
    database.close()


def test_one_that_ended_a_moment_after_its_last_use_is_told_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FRESH_SECONDS", 3600.0)
    database = Database(postgres_url)
    assert _count(database) == 0
    _end_all(postgres_url)
    with pytest.raises(PartAway):
        _count(database)
    assert _count(database) == 0
    database.close()


def test_statements_said_together_all_happen(database: Database) -> None:
    row = {"name": "n", "value": 1}
    with database.write() as connection, together(connection):
        connection.execute(insert(counters).inline(), row)
        connection.execute(insert(counters).inline(), [{**row, "name": "m"}, {**row, "name": "o"}])
    assert [_count(database, name) for name in "nmo"] == [1, 1, 1]


def test_of_statements_said_together_none_happens_where_one_fails(database: Database) -> None:
    row = {"name": "n", "value": 1}
    with (
        pytest.raises((IntegrityError, psycopg.errors.UniqueViolation)),
        database.write() as connection,
        together(connection),
    ):
        connection.execute(insert(counters).inline(), row)
        connection.execute(insert(counters).inline(), row)
    assert _count(database) == 0


def test_a_server_that_goes_while_statements_are_said_together_is_away(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(PartAway), database.write() as connection:
        connection.execute(select(counters))
        _end_all(postgres_url)
        with together(connection):
            connection.execute(insert(counters).inline(), {"name": "n", "value": 1})
    assert _count(database) == 0
    database.close()


def test_what_plans_once_reads_and_writes_as_any(postgres_url: str) -> None:
    database = Database(postgres_url, MovableClock(), plans_once=True)
    with database.write() as connection:
        assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "force_generic_plan"
        connection.execute(insert(counters), {"name": "n", "value": 1})
    assert _count(database) == 1
    database.close()


def test_a_rehearsal_leaves_nothing_behind(database: Database) -> None:
    rehearse(database)
    with database.read() as connection:
        for table in (questions, spend, budgets, metadata.tables["annotators"]):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    with database.write() as connection:  # nothing is locked any more
        connection.execute(insert(counters), {"name": "n", "value": 1})
