"""`labelloop export` from pairs that went through the loop."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from loop_harness import POLICY, Loop
from rows_for_tests import add_answer

from daemon import cli
from daemon.adapters.store.binding import bind
from daemon.adapters.store.schema import labels, windows
from daemon.wiring.item_files import item_lines
from labeling_functions import longer_response, same_words

CONFIG = """
task: {{name: answers, {task}}}
tiers: {{expert: {{final: true}}}}
database: {{url: "sqlite:///loop.db"}}
encoder: null
"""
PAIRS = "kind: preference"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A database with three pairs: A, B and a tie, all provisional."""
    policy = replace(POLICY, classes=("A", "B", "tie"), kind="preference")
    loop = Loop(tmp_path, policy, functions=(longer_response(), same_words())).start()
    bind(loop.database, policy.classes, policy.kind)
    pairs = [pair("a", "much longer than that", "so"), pair("b", "so", "by far longer"), pair("t", "x", "X")]
    loop.send(pairs)
    loop.read()
    loop.close()
    (tmp_path / "labelloop.yaml").write_text(CONFIG.format(task=PAIRS))
    yield tmp_path


def pair(name: str, a: str, b: str) -> dict[str, Any]:
    return {"id": name, "fields": {"prompt": f"prompt {name}", "response_a": a, "response_b": b}}


def export(folder: Path, *options: str) -> Result:
    command = ["export", str(folder / "out.jsonl"), "-c", str(folder / "labelloop.yaml"), *options]
    return CliRunner().invoke(cli.main, command)


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_pairs_become_what_trl_reads(folder: Path) -> None:
    shown = export(folder, "--format", "trl", "--status", "provisional, human")
    assert shown.exit_code == 0, shown.output
    assert "wrote 2 items" in shown.stdout and "1 ties left out" in shown.stdout
    assert written(folder) == [
        {"prompt": "prompt a", "chosen": "much longer than that", "rejected": "so"},
        {"prompt": "prompt b", "chosen": "by far longer", "rejected": "so"},
    ]


def test_what_is_too_doubtful_is_counted(folder: Path) -> None:
    shown = export(folder, "--format", "trl", "--status", "provisional", "--min-preference", "0.999")
    assert "wrote 0 items" in shown.stdout and "2 below a preference of 0.999 left out" in shown.stdout


def test_labels_that_rest_on_nothing_yet_are_not_exported_unasked(folder: Path) -> None:
    assert "wrote 0 items" in export(folder).stdout
    assert "wrote 3 items" in export(folder, "--status", "provisional").stdout
    assert [row["label"] for row in written(folder)] == ["A", "B", "tie"]


def test_what_cannot_be_exported_is_said(folder: Path) -> None:
    unknown = export(folder, "--status", "sure")
    assert unknown.exit_code == 2 and "'sure' is none of provisional, certified, human" in unknown.stderr
    (folder / "labelloop.yaml").write_text(CONFIG.format(task="classes: [a, b]"))
    other = export(folder, "--format", "trl")
    assert other.exit_code == 2 and "task.kind is classification" in other.stderr
    assert not (folder / "out.jsonl").exists() and not (folder / "out.jsonl.part").exists()


def test_a_file_that_cannot_be_written_is_said(folder: Path) -> None:
    command = ["export", str(folder / "absent" / "out.jsonl"), "-c", str(folder / "labelloop.yaml")]
    shown = CliRunner().invoke(cli.main, command)
    assert shown.exit_code == 2 and "cannot be written" in shown.stderr


LABELS = CONFIG.format(task="classes: [ham, spam]")


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """A database with three items; one is answered, one certified."""
    loop = Loop(tmp_path).start()
    bind(loop.database, POLICY.classes, POLICY.kind)
    loop.send([{"id": f"i{n}", "text": f'win a prize, \u05e9\u05dc\u05d5\u05dd "{n}"\n'} for n in range(3)])
    loop.read()
    with loop.database.write() as connection:
        window = {"n": 3, "p": 0.5, "alpha": 0.05, "delta": 0.1, "lambdas": b"", "start": 0, "tier": "expert"}
        rest = {"price": 0, "priority": 0.0, "deadline": 0, "frozen_at": 0, "frozen": b"", "tau": 0.75}
        made = windows.insert().values(id=4, state="closed", **window, **rest)
        connection.execute(made)
        certified = labels.update().where(labels.c.item == "i1")
        connection.execute(certified.values(status="certified", window=4, bundle=7))
    add_answer(loop.database, "i0", loop.questions.enroll("ann", "expert").id, 1)
    loop.close()
    (tmp_path / "labelloop.yaml").write_text(LABELS)
    return tmp_path


ALL = ("--status", "provisional,certified,human")


def table(folder: Path, form: str) -> list[dict[str, Any]]:
    """Export, and read back what was written by other means than ours."""
    out = folder / f"out.{form}"
    shown = CliRunner().invoke(
        cli.main, ["export", str(out), "-c", str(folder / "labelloop.yaml"), "--format", form, *ALL]
    )
    assert shown.exit_code == 0, shown.output
    assert "wrote 3 items" in shown.stdout
    if form == "csv":
        with out.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    rows: list[dict[str, Any]] = pq.read_table(out / "data" if form == "hf" else out).to_pylist()
    return rows


@pytest.mark.parametrize("form", ["csv", "parquet", "hf"])
def test_tables_tell_all_that_a_label_rests_on(answered: Path, form: str) -> None:
    first, second, third = table(answered, form)
    assert [row["item"] for row in (first, second, third)] == ["i0", "i1", "i2"]
    assert first["text"] == 'win a prize, \u05e9\u05dc\u05d5\u05dd "0"\n'
    assert {row["label"] for row in (first, second, third)} == {"spam"}
    assert abs(float(first["p_ham"]) + float(first["p_spam"]) - 1) < 1e-5
    (answer,) = json.loads(first["answers"])
    assert (answer["annotator"], answer["label"], answer["tier"]) == ("ann", "spam", "expert")
    assert json.loads(first["votes"]) == {"prize": "spam", "win": "spam"}
    told = [second[f"certificate_{name}"] for name in ("alpha", "delta", "window", "threshold")]
    assert [float(one) for one in told] == [0.05, 0.1, 4, 0.75]
    assert (int(second["bundle"]), second["status"]) == (7, "certified")
    assert third["certificate_window"] in (None, "")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "hf"])
def test_what_was_exported_can_be_sent_again(answered: Path, form: str) -> None:
    out = answered / f"out.{form}"
    command = ["export", str(out), "-c", str(answered / "labelloop.yaml"), "--format", form, *ALL]
    assert CliRunner().invoke(cli.main, command).exit_code == 0
    sent = [json.loads(line) for _, line in item_lines(out)]
    items = [one["content"] for one in sent] if form == "jsonl" else sent
    assert [one["id"] for one in items] == ["i0", "i1", "i2"]
    assert items[2]["text"] == 'win a prize, \u05e9\u05dc\u05d5\u05dd "2"\n'


def test_a_folder_that_no_export_wrote_is_left_alone(answered: Path) -> None:
    (answered / "mine").mkdir()
    (answered / "mine" / "kept.txt").write_text("x")
    config = str(answered / "labelloop.yaml")
    command = ["export", str(answered / "mine"), "-c", config, "--format", "hf"]
    shown = CliRunner().invoke(cli.main, command)
    assert shown.exit_code == 2 and "no export wrote" in shown.stderr
    assert (answered / "mine" / "kept.txt").exists()
    for _ in range(2):
        assert (
            CliRunner().invoke(cli.main, [*command[:1], str(answered / "new"), *command[2:]]).exit_code == 0
        )
