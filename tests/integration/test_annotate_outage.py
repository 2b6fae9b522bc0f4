"""`labelloop annotate` while PostgreSQL is away: what a model has answered is not paid for again."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from annotate_house import House, house_of
from database_fixtures import private_server
from private_postgres import PrivatePostgres

from daemon.adapters.store.engine import Database
from daemon.core.annotate import FINISH_SECONDS
from labeling_functions.llm.scripted_server import ScriptedServer

CALL_SECONDS = 1.0
ITEMS = 8


@contextmanager
def asking(
    folder: Path,
) -> Iterator[tuple[PrivatePostgres, ScriptedServer, House, "subprocess.Popen[bytes]"]]:
    """A database of its own, and a process that has begun to ask a model about all items."""
    with private_server() as postgres, ScriptedServer(lambda _: "ham", seconds=CALL_SECONDS) as server:
        database = Database(postgres.url)
        database.migrate()
        with house_of(folder, database, server) as house:
            house.ask(ITEMS)
            process = house.start()
            house.until(lambda: server.bill.calls > 0)
            yield postgres, server, house, process
        database.close()


@pytest.mark.postgres
def test_answers_that_come_while_the_database_is_away_are_saved_when_it_is_back(tmp_path: Path) -> None:
    with asking(tmp_path) as (postgres, server, house, process):
        under_way = server.bill.calls
        postgres.crash()
        house.until(lambda: server.bill.billed >= under_way and "annotate_waits" in house.log_of(process))
        postgres.start()
        house.until(lambda: len(house.answered()) == ITEMS)
        assert house.states() == {"answered": ITEMS}
        assert server.bill.calls == server.bill.billed == ITEMS, "each was asked about once"
        assert house.lines() == {"spent": ITEMS}
        house.end(process)


@pytest.mark.postgres
def test_told_to_end_while_the_database_is_away_it_saves_what_is_paid_for_once_it_is_back(
    tmp_path: Path,
) -> None:
    with asking(tmp_path) as (postgres, server, house, process):
        postgres.crash()
        house.until(lambda: server.bill.billed == server.bill.calls)
        process.terminate()
        time.sleep(FINISH_SECONDS + 1)  # longer than it waits for calls, not as long as for what is paid
        assert process.poll() is None, house.log_of(process)
        postgres.start()
        house.end(process)
        assert len(house.answered()) == server.bill.billed > 0
        assert house.lines() == {"spent": server.bill.billed}
        assert "paid_unsaved" not in house.log_of(process)
