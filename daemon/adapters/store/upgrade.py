"""Brings a database's schema up to this program's, however many processes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from daemon.core.errors import SetupProblem

_LOCK = 0x6C6F6F70
"""Key of PostgreSQL's advisory lock: one process migrates, the others wait for it."""


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for our migrations on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(writer: Engine) -> None:
    """Migrate to the newest version in one transaction.

    Args:
        writer: an engine whose transactions take SQLite's write lock as they begin.

    Raises:
        SetupProblem: the database was made by a newer version of this program.
    """
    with writer.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = configuration(connection)
        script = ScriptDirectory.from_config(config)
        if not _is_current(connection, script):
            command.upgrade(config, "head")


def refuse_outdated(connection: Connection) -> None:
    """Look whether the schema is this program's, without a change.

    Raises:
        SetupProblem: it is older or newer.
    """
    script = ScriptDirectory.from_config(configuration(connection))
    if not _is_current(connection, script):
        raise SetupProblem(
            "database.url: the schema there is not that of this version, and this command changes nothing; "
            "`labelloop status` brings it up to date"
        )


def _is_current(connection: Connection, script: ScriptDirectory) -> bool:
    current, head = MigrationContext.configure(connection).get_current_revision(), script.get_current_head()
    if current == head:
        return True
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise SetupProblem(
            f"database.url: the schema there has version {current}, which is newer than this program's "
            f"{head}; update labelloop, or give it another database"
        )
    return False
