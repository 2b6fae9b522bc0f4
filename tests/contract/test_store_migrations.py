"""Migrations: they make exactly the schema, from several processes at once, and know what is too new."""

import multiprocessing
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from daemon.adapters.store.budget import day
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import budgets, metadata, spend
from daemon.adapters.store.upgrade import MIGRATIONS, VERSIONS, configuration
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


def test_files_of_migrations_are_named_after_the_versions_that_they_make() -> None:
    newest_first = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert tuple(revision.revision for revision in newest_first)[::-1] == VERSIONS


def test_who_finds_the_newest_version_loads_no_alembic(sqlite_url: str) -> None:
    code = f"""
import sys
from daemon.adapters.store.engine import Database
database = Database({sqlite_url!r})
database.migrate()
database.refuse_outdated()
print("alembic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


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
    with pytest.raises(SetupProblem, match="version 9999, which is newer than this program's"):
        database.migrate()
    database.close()


def test_money_that_was_held_for_waiting_questions_is_given_back(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as connection:
        command.upgrade(configuration(connection), "0003")
    at = 1_790_000_000_000
    rows = [(1, "settle", "open"), (2, "settle", "leased"), (3, "gold", "open"), (4, "learn", "answered")]
    with database.write() as connection:
        for id_, purpose, state in rows:
            paid = "spent" if state == "answered" else "reserved"
            asked = {"id": id_, "purpose": purpose, "state": state, "paid": paid, "at": at}
            connection.execute(text(QUESTION), asked)
            connection.execute(text(MONEY), asked)
        connection.execute(text(BUDGET), {"period": day(at)})
    database.migrate()
    with database.read() as connection:
        money = connection.execute(select(spend.c.question, spend.c.state, spend.c.purpose)).all()
        assert sorted(map(tuple, money)) == [
            (1, "released", "settle"),
            (2, "reserved", "settle"),
            (3, "reserved", "gold"),
            (4, "spent", "learn"),
        ]
        assert connection.execute(select(budgets.c.reserved, budgets.c.spent)).one() == (20, 10)
    database.close()


QUESTION = """INSERT INTO questions (id, item, tier, purpose, priority, price, state, created)
VALUES (:id, 'a', 'expert', :purpose, 0, 10, :state, :at)"""
MONEY = """INSERT INTO spend (at, tier, question, item, state, micros)
VALUES (:at, 'expert', :id, 'a', :paid, 10)"""
BUDGET = "INSERT INTO budgets (tier, period, reserved, spent) VALUES ('expert', :period, 30, 10)"
