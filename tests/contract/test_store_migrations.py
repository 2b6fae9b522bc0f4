"""Migrations: they make exactly the schema, from several processes at once, and know what is too new."""

import multiprocessing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import metadata
from daemon.core.errors import SetupProblem


def test_migrations_make_exactly_the_schema(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    with database.write() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    database.migrate()
    database.migrate()
    with database.read() as connection:
        assert set(metadata.tables) < set(inspect(connection).get_table_names())


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_migrate, args=(empty_url,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]


def test_a_schema_from_the_future_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupProblem, match="version 9999, which is newer than this program's 0004"):
        database.migrate()
    database.close()
