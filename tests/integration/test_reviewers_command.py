"""`labelloop reviewers`: who is listed, paused and let go on."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from database_fixtures import blank_sqlite
from rows_for_tests import add_annotator, add_answer, add_items

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom

CONFIG = """
task: {name: t, classes: [a, b]}
tiers: {crowd: {}, expert: {final: true}}
database: {url: 'sqlite:///people.db'}
"""


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob reviews in two tiers, cy in one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelloop.yaml").write_text(CONFIG)
    database = Database(blank_sqlite(tmp_path / "people.db"))
    room = QuestionRoom(database)
    for name, tier in (("bob", "crowd"), ("bob", "expert"), ("cy", "crowd")):
        room.enroll(name, tier)
    database.close()


def labelloop(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["-q", "reviewers", *arguments], env={"COLUMNS": "160"})


@pytest.mark.usefixtures("people")
def test_somebody_is_paused_in_all_their_tiers_and_goes_on_in_one() -> None:
    told = labelloop("pause", "bob", "--reason", "on holiday")
    assert told.output == "bob is paused in crowd, expert\n"
    assert labelloop("list").output.count("paused: on holiday") == 2
    assert labelloop("resume", "bob", "--tier", "expert").output == "bob may go on in expert\n"
    listed = labelloop("list").output
    assert listed.count("paused: on holiday") == 1 and listed.count("active") == 2


@pytest.mark.usefixtures("people")
def test_a_name_that_nobody_has_is_said() -> None:
    told = labelloop("pause", "dan", "--reason", "x")
    assert told.exit_code == 2
    assert "nobody called 'dan' reviews; see `labelloop reviewers list`" in told.output


@pytest.mark.usefixtures("people")
def test_agreement_is_shown_where_there_is_some(tmp_path: Path) -> None:
    assert "No item has answers of two people" in labelloop("agreement").output
    database = Database(f"sqlite:///{tmp_path}/people.db")
    dan, eve = add_annotator(database, "dan", "crowd"), add_annotator(database, "eve", "crowd")
    add_items(database, ["i", "j"])
    for item, label in (("i", 0), ("j", 1)):
        add_answer(database, item, dan, label)
        add_answer(database, item, eve, 0)
    database.close()
    told = labelloop("agreement").output
    assert "Agreement in crowd" in told and "expert" not in told
    row = next(line for line in told.splitlines() if "labels" in line)
    assert row.replace("│", " ").split()[:4] == ["labels", "2", "4", "50.0%"]
