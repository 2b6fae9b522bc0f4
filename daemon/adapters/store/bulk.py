"""Statements that the two databases want said differently."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Table,
    any_,
    column,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from daemon.adapters.store.schema import counters


class AlreadyThere(Exception):
    """A row with this key is stored."""


def bulk_insert(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows given as columns of one length, of plain str, bytes, int, float, bool or None.

    PostgreSQL takes them by COPY, SQLite by one prepared statement.

    Raises:
        AlreadyThere: a row with one of these keys is there; the transaction can only be rolled back.
    """
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in columns)
    rows = zip(*columns.values(), strict=True)
    try:
        if connection.dialect.name == "sqlite":
            _insert_many(connection, f"{table.name} ({names})", list(rows))
        else:
            types = [_COPY_TYPES[table.c[name].type.compile(connection.dialect)] for name in columns]
            _copy(connection, f"{table.name} ({names})", types, rows)
    except psycopg.errors.UniqueViolation as error:
        raise AlreadyThere(table.name) from error
    except IntegrityError as error:
        if getattr(error.orig, "sqlite_errorname", "") in _TAKEN:
            raise AlreadyThere(table.name) from error
        raise


_NEXT = "SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)"
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = :table"


def new_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """So many ids, ascending, that the database gives to nobody else: `bulk_insert` tells none.

    Those of rows that are then not inserted are never used on PostgreSQL, and used again on SQLite.
    """
    if connection.dialect.name == "sqlite":
        last = connection.execute(text(_LAST), {"table": table.name}).scalar_one_or_none() or 0
        return list(range(last + 1, last + 1 + count))
    given = connection.execute(text(_NEXT), {"table": table.name, "count": count})
    return list(given.scalars())


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Statements within, none of which returns rows, go to PostgreSQL in one journey; each fails at the end.

    An INSERT must be `inline()`: SQLAlchemy would else have it return its key.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    with driver.pipeline():
        yield


def _insert_many(connection: Connection, place: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.exec_driver_sql(f"INSERT INTO {place} VALUES ({marks})", rows)


def _copy(connection: Connection, place: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    statement = f"COPY {place} FROM STDIN (FORMAT BINARY)"
    with driver.cursor() as cursor:
        # The last dumper that psycopg registers for bytea is written in Python.
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


_TAKEN = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")

_COPY_TYPES = {
    "TEXT": "text",
    "BYTEA": "bytea",
    "BIGINT": "int8",
    "INTEGER": "int4",
    "SMALLINT": "int2",
    "REAL": "float4",
    "DOUBLE PRECISION": "float8",
    "BOOLEAN": "bool",
}


def upsert(
    connection: Connection, table: Table, keys: Sequence[str], change: Sequence[str]
) -> postgresql.Insert | sqlite.Insert:
    """INSERT that overwrites the columns `change` of a row with the same keys; none: the old row stays."""
    insert = _insert_into(connection.dialect.name, table)
    if not change:
        return insert.on_conflict_do_nothing(index_elements=list(keys))
    return insert.on_conflict_do_update(
        index_elements=list(keys), set_={name: insert.excluded[name] for name in change}
    )


def sums(
    connection: Connection, table: Table, keys: Sequence[str], added: Sequence[str]
) -> postgresql.Insert | sqlite.Insert:
    """INSERT that adds the columns `added` to those of a row with the same keys."""
    return _sums(connection.dialect.name, table, tuple(keys), tuple(added))


@lru_cache
def _sums(
    dialect: str, table: Table, keys: tuple[str, ...], added: tuple[str, ...]
) -> postgresql.Insert | sqlite.Insert:
    insert = _insert_into(dialect, table)
    return insert.on_conflict_do_update(
        index_elements=list(keys), set_={name: table.c[name] + insert.excluded[name] for name in added}
    )


def _insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)


def among(connection: Connection, place: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """`place IN values` for any number of values, as one bound parameter."""
    listed = list(values)
    if connection.dialect.name == "sqlite":
        each = func.json_each(json.dumps(listed)).table_valued(column("value", place.type))
        return place.in_(select(each.c.value))
    return place == any_(literal(listed, ARRAY(place.type)))


def add_counts(connection: Connection, counts: Mapping[str, int]) -> None:
    """Add to counters, made if absent."""
    rows = [{"name": name, "value": value} for name, value in sorted(counts.items()) if value]
    if rows:
        connection.execute(sums(connection, counters, ["name"], ["value"]), rows)
