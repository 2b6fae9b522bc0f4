"""`labelloop gold`: labels of a file are known, or none of them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from database_fixtures import blank_sqlite

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.truths import TruthRoom

CONFIG = """
task: {{name: t, kind: {kind}, classes: [a, b]}}
tiers: {{crowd: {{}}, expert: {{final: true}}}}
database: {{url: 'sqlite:///gold.db'}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelloop.yaml").write_text(CONFIG.format(kind="classification"))
    blank_sqlite(tmp_path / "gold.db")
    return tmp_path


def labelloop(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["-q", "gold", *arguments], env={"COLUMNS": "160"})


def known(n_facets: int = 1) -> dict[str, int]:
    database = Database("sqlite:///gold.db")
    try:
        return {one.item: one.label for one in TruthRoom(database, n_facets).known_labels(10)}
    finally:
        database.close()


def test_labels_are_added_listed_and_removed(folder: Path) -> None:
    (folder / "known.csv").write_text("id,label,note\ni1,b,sure\ni2,a,\n")
    told = labelloop("add", "known.csv")
    assert told.output == "2 known labels; 2 of items that are still to come\n"
    (folder / "more.jsonl").write_text('{"name": "i2", "said": "b"}\n')
    assert labelloop("add", "more.jsonl", "--id-column", "name", "--label-column", "said").exit_code == 0
    assert known() == {"i1": 1, "i2": 1}
    assert labelloop("remove", "i1").output == "the label of i1 is known no longer\n"
    listed = labelloop("list").output
    assert "i2" in listed and "i1" not in listed and "command line" in listed
    again = labelloop("remove", "i1")
    assert (again.exit_code, "nobody vouches for a label of 'i1'" in again.output) == (2, True)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("i1,a\ni2,c\n", "known.csv, row 2: 'c' is none of the classes a, b"),
        ("i1,a\ni2,\n", "known.csv, row 2: 'i2' has no label in column 'label'"),
        ("i1,a\n,b\n", "known.csv, row 2: no item in column 'id'"),
        ("i1,a\ni1,b\n", "known.csv, row 2: 'i1' has another label further up"),
    ],
)
def test_a_file_with_a_wrong_row_changes_nothing(folder: Path, rows: str, said: str) -> None:
    (folder / "known.csv").write_text(f"id,label\n{rows}")
    told = labelloop("add", "known.csv")
    assert (told.exit_code, said in told.output) == (2, True), told.output
    assert known() == {}


def test_a_multilabel_task_takes_sets(folder: Path) -> None:
    (folder / "labelloop.yaml").write_text(CONFIG.format(kind="multilabel"))
    (folder / "known.jsonl").write_text(
        '{"id": "i1", "label": ["a", "b"]}\n{"id": "i2", "label": []}\n{"id": "i3", "label": ["b"]}\n'
    )
    assert labelloop("add", "known.jsonl").exit_code == 0
    assert known(n_facets=2) == {"i1": 3, "i2": 0, "i3": 2}
