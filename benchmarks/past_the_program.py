"""Looks at the program's database past the program, for benchmarks and tests."""

from functools import cache
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, text


@cache
def past_the_program(url: str) -> Engine:
    """A way into the program's database, for who looks many times a second; it keeps no connection."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """All rows of one question to the database."""
    with past_the_program(url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]
