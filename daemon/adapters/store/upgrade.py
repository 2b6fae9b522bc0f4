"""Brings a database's schema up to this program's, however many processes start at once.

Alembic is imported where there is something to migrate: every process looks, and loading Alembic takes longer
than all else it does about the schema.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from daemon.core.errors import SetupProblem
from daemon.core.readiness import NotReady

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = tuple(sorted(file.name[1:5] for file in MIGRATIONS.glob("versions/v[0-9]*.py")))
"""Every version of the schema, oldest first: a migration's file is named after the version that it makes."""
_LOCK = 0x6C6F6F70
"""Key of PostgreSQL's advisory lock: one process migrates, the others wait for it."""


def configuration(connection: Connection) -> "Config":
    """Alembic's configuration for our migrations on this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def stored_version(connection: Connection) -> str | None:
    """The version of the schema that is there; None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


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
        if not _is_current(connection):
            from alembic import command

            command.upgrade(configuration(connection), "head")


def refuse_outdated(connection: Connection) -> None:
    """Look whether the schema is this program's, without a change.

    Raises:
        SetupProblem: it is older or newer.
    """
    if not _is_current(connection):
        raise SetupProblem(
            "database.url: the schema there is not that of this version, and this command changes nothing; "
            "`labelloop status` brings it up to date"
        )


def check_serves(connection: Connection) -> None:
    """Look whether a process that runs finds its tables: somebody may have brought an older database back, or
    a newer program may have updated this one.

    Raises:
        NotReady: they are of another version.
    """
    stored = stored_version(connection)
    if stored != VERSIONS[-1]:
        found = "no tables" if stored is None else f"the tables of version {stored}"
        raise NotReady(f"the database has {found}, and this program needs those of version {VERSIONS[-1]}")


def _is_current(connection: Connection) -> bool:
    stored = stored_version(connection)
    if stored is not None and stored not in VERSIONS:
        raise SetupProblem(
            f"database.url: the schema there has version {stored}, which is newer than this program's "
            f"{VERSIONS[-1]}; update labelloop, or give it another database"
        )
    return stored == VERSIONS[-1]
