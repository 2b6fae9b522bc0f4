"""A network that drops packets between a process and PostgreSQL: neither end waits for the other for ever."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from far_room import FarRoom, missing_network
from private_postgres import PrivatePostgres, server_binaries

from daemon.adapters.store.engine import SILENCE

LONGEST_SECONDS = SILENCE["tcp_user_timeout"] / 1_000 + 15.0
"""As it is set, and what a busy machine may add."""

IN_A_COPY = """
import sys
from daemon.adapters.store.engine import Database

with Database(sys.argv[1]).write() as connection:
    connection.exec_driver_sql("INSERT INTO held VALUES (1)")
    with connection.connection.driver_connection.cursor() as cursor, cursor.copy("COPY held FROM STDIN"):
        print("here", flush=True)
        sys.stdin.readline()
"""
"""A writer in the middle of a COPY, where the server waits for more of it."""

WAITING = """
import sys
from daemon.adapters.store.engine import Database
from daemon.core.errors import PartAway

try:
    with Database(sys.argv[1]).read() as connection:
        print("here", flush=True)
        connection.exec_driver_sql("SELECT pg_sleep(600)")
except PartAway as problem:
    print(problem, flush=True)
"""
"""A reader that waits for what the server has to say."""


@pytest.mark.postgres
def test_neither_end_of_a_cut_connection_waits_for_the_other_for_ever() -> None:
    binaries = server_binaries()
    if (lacking := missing_network()) or binaries is None:
        pytest.skip(lacking or "no PostgreSQL: initdb is not there (Debian: postgresql)")
    with ExitStack() as stack:
        room = stack.enter_context(FarRoom(("postgres",)))
        address = room.lines["postgres"].address
        server = stack.enter_context(PrivatePostgres(binaries, beside=(address,)))
        near = stack.enter_context(psycopg.connect(server.url, autocommit=True))
        near.execute("CREATE TABLE held (id integer PRIMARY KEY)")
        writer, reader = (
            stack.enter_context(_running(room, code, server.url_at(address))) for code in (IN_A_COPY, WAITING)
        )
        assert (_said(writer), _said(reader)) == ("here\n", "here\n")
        near.execute("SET lock_timeout = 100")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            near.execute("INSERT INTO held VALUES (1)")
        room.cut("postgres")
        began = time.monotonic()
        near.execute(f"SET lock_timeout = {round(LONGEST_SECONDS * 1_000)}")
        near.execute("INSERT INTO held VALUES (1)")
        assert "was not heard of any more" in _said(reader)
        assert time.monotonic() - began < LONGEST_SECONDS


@contextmanager
def _running(room: FarRoom, code: str, url: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*room.within, sys.executable, "-c", code, url],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()
