"""The database: connections, transactions, its clock, and problems of setting up said plainly."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

import psycopg
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    create_engine,
    event,
    literal_column,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from daemon.adapters.store.problems import explained, full, is_full, is_read_only, read_only, shown
from daemon.adapters.store.upgrade import check_serves, refuse_outdated, upgrade
from daemon.core.errors import PartAway, SetupProblem
from daemon.core.readiness import NotReady

BUSY_SECONDS = 30
WAL_PAUSE = 0.01
"""Seconds between two tries of turning a SQLite file to its write-ahead log."""
IDLE_SECONDS = 30
"""A PostgreSQL session that does nothing inside a transaction for so long is ended by the server.
Its locks hold up all others until then."""
SILENCE = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 15_000}
"""When both ends of a connection to PostgreSQL take the other for gone: after 15 s without a sign of life.

A network that drops packets says nothing, and there is no end to waiting for it. A server that waits inside a
COPY would keep that session's locks for two hours: no other limit reaches it there. (libpq's names.)
"""
FRESH_SECONDS = 1.0
"""A connection to PostgreSQL that was used so short a time ago is taken to be there; others are asked."""
CONNECTIONS = 15
"""Kept of one process at most. The newest is used again first: what the server learned with it is warm."""

NOW_SQL = {
    "sqlite": "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
}
"""What a database's own clock says, in milliseconds since 1970."""
_NOW = {dialect: text(f"SELECT {sql}") for dialect, sql in NOW_SQL.items()}


class Clock(Protocol):
    """How far the program's time is ahead of the database's."""

    offset_ms: int


@dataclass
class MovableClock:
    """Lets tests move time."""

    offset_ms: int = 0

    def advance(self, seconds: float) -> None:
        """Move forwards; backwards when negative."""
        self.offset_ms += round(seconds * 1000)


class Database:
    """A database address, opened. Threads may share the object, processes the address."""

    def __init__(self, url: str, clock: Clock | None = None, plans_once: bool = False) -> None:
        """Nothing is connected yet.

        Args:
            url: `sqlite:///path` or `postgresql://user:password@host/name`.
            clock: for tests.
            plans_once: for short statements by key, which PostgreSQL plans longer than it works on them. It
                then plans each once in a connection, whatever the parameters. SQLite always does.

        Raises:
            SetupProblem: the address is none.
        """
        self.url = _parse(url)
        self._clock: Clock = clock or MovableClock()
        self._claim: IO[str] | None = None
        self._engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url, plans_once)
        self._writer = self._engine.execution_options(**({"write": True} if self.is_sqlite else {}))
        self._reader = self._engine.execution_options(
            **({} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        )
        self._glancer = self._engine.execution_options(
            **({} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"})
        )

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, False for PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back on any exception.

        Raises:
            PartAway: the server ended the connection. What was being committed then may be there or not.
                Or there is no room, or nothing may be written: nothing was committed.
            SetupProblem: there is no connection to be had; a PartAway where that may pass.
        """
        with self._open(self._writer) as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and changes nothing; raises as `write` does."""
        with self._open(self._reader) as connection, connection.begin():
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For one statement that only reads: no transaction is begun or ended; raises as `write` does."""
        with self._open(self._glancer) as connection:
            yield connection

    def now(self, connection: Connection) -> int:
        """Milliseconds since 1970, UTC, on the database's clock."""
        return int(connection.execute(_NOW[connection.dialect.name]).scalar_one()) + self._clock.offset_ms

    def ping(self) -> None:
        """Raises if the database cannot be read now, NotReady if it refuses us or has not our tables."""
        try:
            with self.read() as connection:
                check_serves(connection)
        except PartAway:
            raise
        except SetupProblem as refused:
            raise NotReady("the database refuses this program; `labelloop check` says why") from refused

    def clock(self, connection: Connection) -> ColumnElement[int]:
        """What `now` says, as a column of a query: for a look that must not take two."""
        said: ColumnElement[int] = literal_column(NOW_SQL[connection.dialect.name])
        return said + self._clock.offset_ms

    def by_clock(self, said: int) -> int:
        """The time of the program, where a query read this from `NOW_SQL`."""
        return said + self._clock.offset_ms

    def migrate(self) -> None:
        """Make or update the schema. Safe when several processes start at once.

        Raises:
            SetupProblem: the database cannot be reached or written, or its schema is newer than this program.
        """
        try:
            upgrade(self._writer)
        except DatabaseError as error:
            raise explained(self.url, error) from error

    def refuse_outdated(self) -> None:
        """See that the schema is this program's, and leave it as it is.

        Raises:
            SetupProblem: it is not, or the database cannot be reached.
        """
        with self.read() as connection:
            refuse_outdated(connection)

    def claim_single_worker(self) -> None:
        """Refuse a second stream worker on SQLite, until this object is closed or its process ends.

        Raises:
            SetupProblem: another worker has the claim.
        """
        if not self.is_sqlite or self._claim is not None:
            return
        path = Path(f"{self.url.database}.worker")
        claim = path.open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            raise SetupProblem(
                f"another stream worker uses {self.url.database}; SQLite serves one at a time: stop it, or "
                "set database.url to a PostgreSQL server to run several"
            ) from None
        self._claim = claim

    def close(self) -> None:
        """Close every connection and give the claim back."""
        self._engine.dispose()
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    @contextmanager
    def _open(self, engine: Engine) -> Iterator[Connection]:
        try:
            connection = engine.connect()
        except DatabaseError as error:
            raise explained(self.url, error) from error
        with connection:
            try:
                yield connection
            except (DBAPIError, psycopg.Error) as error:
                if is_full(error):
                    raise full(self.url, error) from error
                if engine is self._writer and is_read_only(error):
                    raise read_only(self.url, error) from error
                if isinstance(error, DBAPIError) and error.connection_invalidated and not self.is_sqlite:
                    raise explained(self.url, error) from error
                raise


def _parse(given: str) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # the second of a port that is no number
        # What cannot be taken apart is not shown if there may be a password in it.
        raise SetupProblem(_not_an_address("" if {"@", "="} & set(given) else f" {given!r}")) from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        if url.database in (None, "", ":memory:"):
            raise SetupProblem(
                f"database.url {given!r} names no file; processes share the database, so it must be one: "
                "for example sqlite:///labelloop.db"
            )
        return url
    raise SetupProblem(_not_an_address(f" {shown(url)!r}"))


def _not_an_address(said: str) -> str:
    return (
        f"database.url{said} is not a database address; for example sqlite:///labelloop.db or "
        "postgresql://user:${DB_PASSWORD}@host/name, where a password is percent-encoded"
    )


def _postgresql(url: URL, plans_once: bool) -> Engine:
    server: dict[str, Any] = {f"tcp_{name.removeprefix('tcp_')}": value for name, value in SILENCE.items()}
    server["idle_in_transaction_session_timeout"] = IDLE_SECONDS * 1000
    arguments: dict[str, Any] = {"application_name": "labelloop", "connect_timeout": 10, **SILENCE}
    if plans_once:
        server["plan_cache_mode"] = "force_generic_plan"
        arguments["prepare_threshold"] = 0
    arguments["options"] = " ".join(f"-c {name}={value}" for name, value in server.items())
    engine = create_engine(
        url, pool_size=CONNECTIONS, max_overflow=0, pool_use_lifo=True, connect_args=arguments
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", partial(_see_that_it_is_there, engine.dialect))
    event.listen(engine, "checkout", _leave_to_the_server)
    return engine


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _leave_to_the_server(
    connection: Any, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Whether a transaction may write is said by who only reads; else the server's default holds.

    After a reading transaction SQLAlchemy would have all later ones on the connection say that they write,
    and so write to a server that was set to read only.
    """
    connection.read_only = None


def _see_that_it_is_there(
    dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """As the pool's own `pool_pre_ping`, which would ask before each transaction."""
    used = record.info.get("used")
    if used is None or time.monotonic() - used <= FRESH_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except psycopg.OperationalError:
        raise InvalidatePoolError from None


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's driver would begin transactions late and on its own terms; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL").close()
    connection.execute("PRAGMA foreign_keys = ON").close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. Of several that turn a new file to it in the same moment SQLite refuses all but
    one, without the wait that it grants otherwise.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(WAL_PAUSE)


def _begin_sqlite(connection: Connection) -> None:
    # The write lock comes first: a reading transaction that turns to writing may fail instead of waiting.
    writes = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
