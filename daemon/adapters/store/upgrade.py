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
        current = MigrationContext.configure(connection).get_current_revision()
        if current == script.get_current_head():
            return
        known = {revision.revision for revision in script.walk_revisions()}
        if current is not None and current not in known:
            raise SetupProblem(
                f"database.url: the schema there has version {current}, which is newer than this program's "
                f"{script.get_current_head()}; update labelloop, or give it another database"
            )
        command.upgrade(config, "head")
