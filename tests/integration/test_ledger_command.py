"""`labelloop ledger`: what it prints, and how a new ledger begins."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from database_fixtures import blank_sqlite
from sqlalchemy import insert

from daemon import cli
from daemon.adapters.store.codec import pack_frozen
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import windows
from daemon.core.window_rows import Frozen

CONFIG = "task: {name: t, classes: [a, b]}\ntiers: {expert: {final: true}}\n"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database of a configuration in the folder where the program is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelloop.yaml").write_text(f"{CONFIG}database: {{url: 'sqlite:///ledger.db'}}\n")
    made = Database(blank_sqlite(tmp_path / "ledger.db"))
    yield made
    made.close()


def labelloop(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["-q", *arguments], env={"COLUMNS": "200"})


def close_window(database: Database, wrong: int, still_open: int = 0) -> None:
    row = {
        "state": "closed",
        "n": 20_000,
        "p": 0.06,
        "alpha": 0.05,
        "delta": 0.1,
        "lambdas": b"",
        "start": 0,
        "tier": "expert",
        "price": 0,
        "priority": 20.0,
        "deadline": 0,
        "frozen_at": 0,
        "frozen": pack_frozen(Frozen(["a"], np.array([0.9], np.float32), np.array([[1]], np.int8))),
        "audited": b"",
        "wrong": b"",
        "tau": 0.9,
        "certified": 20_000,
        "closed_at": 1_700_000_000_000,
        "outgoing_p": 0.01,
        "outgoing": bytes(4 * 200),
        "outgoing_open": still_open,
        "outgoing_wrong": wrong,
        "outgoing_deadline": 0,
    }
    with database.write() as connection:
        connection.execute(insert(windows).values(**row))


def test_an_empty_ledger_says_so(database: Database) -> None:
    shown = labelloop("ledger")
    assert shown.exit_code == 0
    assert "0 in 0 windows" in shown.stdout
    assert "not yet" in shown.stdout
    assert "goes on" in shown.stdout


def test_the_ledger_is_printed(database: Database) -> None:
    close_window(database, wrong=2)
    close_window(database, wrong=0, still_open=3)
    shown = labelloop("ledger").stdout
    assert "20,000 in 1 window" in shown
    assert "20,000 released in 1 window, 3 audits open" in shown
    assert "since window 1, closed 2023-11-14" in shown
    assert "goes on" in shown


def test_a_suspended_ledger_is_started_anew_for_a_reason(database: Database) -> None:
    close_window(database, wrong=60)
    assert "suspended" in labelloop("ledger").stdout
    status = labelloop("status").stdout
    assert "Automatic acceptance is suspended." in status
    assert "What is not known yet" in status and "10 more random blind answers." in status
    for arguments in ((), ("--reason", " ")):
        refused = labelloop("ledger", "restart", *arguments)
        assert refused.exit_code == 2
        assert "reason" in refused.stderr
    assert "suspended" in labelloop("ledger").stdout
    done = labelloop("ledger", "restart", "--reason", "one function was wrong", "-c", "labelloop.yaml")
    assert done.exit_code == 0
    assert "begins after window 1" in done.stdout
    shown = labelloop("ledger").stdout
    assert "one function was wrong" in shown
    assert "goes on" in shown
