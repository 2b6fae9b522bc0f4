"""`labelloop export` from pairs that went through the loop."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from loop_harness import POLICY, Loop

from daemon import cli
from daemon.adapters.store.binding import bind
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
