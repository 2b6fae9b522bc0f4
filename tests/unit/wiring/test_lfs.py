"""The report on labelling functions."""

import json
from pathlib import Path

import numpy as np
import pytest
from config_files import load_text

from daemon.core.errors import SetupProblem
from daemon.core.learning_rows import TrainingRows
from daemon.core.rows import Answer
from daemon.core.states import AnnotatorKind, Purpose
from daemon.wiring import lfs
from daemon.wiring.config import Config

FUNCTIONS = """
from labeling_functions import keywords, labeling_function

prize = keywords("prize", ["prize"], "spam")

@labeling_function
def breaks_on_digits(item):
    return "ham" if not item.text.isdigit() else item.absent
"""
CSV = "text,label\nwin a prize,spam\nprize for you,ham\nhello,ham\n12,\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "own_functions.py").write_text(FUNCTIONS)
    (tmp_path / "items.csv").write_text(CSV)
    text = "task: {name: t, classes: [ham, spam]}\nfunctions: {modules: [own_functions.py]}\n"
    return load_text(tmp_path, text + "tiers: {crowd: {}, expert: {final: true}}\n")


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name may be cut in a small terminal."""
    monkeypatch.setenv("COLUMNS", "60")


def report(config: Config, capsys: pytest.CaptureFixture[str], label: str | None) -> dict[str, list[str]]:
    lfs.main(config, config.folder / "items.csv", label, 100)
    lines = capsys.readouterr().out.splitlines()
    return {
        cells[0]: cells for cells in ([cell.strip() for cell in line.strip("│").split("│")] for line in lines)
    }


def test_a_file_is_reported_on(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    lines = report(config, capsys, "label")
    assert f"4 items from {config.folder / 'items.csv'}; the class of 3 is known" in lines
    assert "50.0%" in lines["prize"]  # coverage: two of four items
    assert "2" in lines["prize"]  # checked against the truth
    assert any(line.startswith("breaks_on_digits abstained on 1 items that it failed on") for line in lines)


def test_without_truth_no_accuracy_is_claimed(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(config, capsys, None)["prize"][-3:] == ["", "", "0"]


def test_a_label_column_needs_a_file(config: Config) -> None:
    with pytest.raises(SetupProblem, match="goes with --file"):
        lfs.main(config, None, "label", 10)


def test_an_empty_database_points_to_files(config: Config) -> None:
    with pytest.raises(SetupProblem, match="no item is stored yet"):
        lfs.main(config, None, None, 10)


def test_without_functions_there_is_nothing_to_report(tmp_path: Path) -> None:
    bare = load_text(tmp_path, "task: {name: t, classes: [a, b]}\ntiers: {expert: {final: true}}\n")
    with pytest.raises(SetupProblem, match="no labelling functions"):
        lfs.main(bare, None, None, 10)


def test_the_latest_answer_of_a_final_tier_is_the_truth() -> None:
    answers = [
        (0, answer("expert", 1, at=20)),
        (0, answer("expert", 0, at=10)),
        (1, answer("crowd", 1, at=30)),
        (2, answer("expert", 0, at=5)),
        (2, answer("crowd", 1, at=50)),
    ]
    sample = lfs.from_rows(rows(["a", "b", "c"], answers), frozenset({"expert"}))
    assert sample.truth.tolist() == [1, -1, 0]
    assert [item.text for item in sample.items] == ["a", "b", "c"]


MARKS = """
from labeling_functions import labeling_function, only

@labeling_function
def thankful(item):
    return {"praise": "thanks" in item.text}

@labeling_function
def short(item):
    return only("billing") if len(item.text) < 5 else None
"""


@pytest.fixture
def sets(tmp_path: Path) -> Config:
    (tmp_path / "own_marks.py").write_text(MARKS)
    text = "task: {name: t, kind: multilabel, classes: [billing, praise, delivery]}\n"
    text += "functions: {modules: [own_marks.py]}\ntiers: {expert: {final: true}}\n"
    return load_text(tmp_path, text)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("i.csv", 'text,label\nthanks,praise; delivery\nbill,[]\npay,"[""billing""]"\nhm,billing\nx,\n'),
        (
            "i.jsonl",
            '{"text": "thanks", "label": ["praise", "delivery"]}\n{"text": "bill", "label": []}\n'
            '{"text": "pay", "label": ["billing"]}\n{"text": "hm", "label": "billing"}\n{"text": "x", '
            '"label": null}\n',
        ),
    ],
)
def test_a_multilabel_file_is_reported_on_by_class(
    sets: Config, capsys: pytest.CaptureFixture[str], file: str, content: str
) -> None:
    path = sets.folder / file
    path.write_text(content)
    lfs.main(sets, path, "label", 100)
    out = capsys.readouterr().out
    assert f"5 items from {path}; the classes of 4 are known" in out
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines()]
    assert [row[:2] + row[5:8] + row[-1:] for row in rows if row[0] in ("thankful", "short")] == [
        ["thankful", "praise", "4", "1", "100.0%", "4"],
        ["short", "billing", "0", "4", "66.7%", "3"],
        ["short", "praise", "4", "0", "100.0%", "3"],
        ["short", "delivery", "4", "0", "100.0%", "3"],
    ]


@pytest.mark.parametrize(
    ("said", "why"), [("prase", "'prase' is not a class"), ("5", "5 is no list of classes")]
)
def test_a_set_that_is_none_is_refused(sets: Config, said: str, why: str) -> None:
    path = sets.folder / "i.csv"
    path.write_text(f"text,label\nx,{said}\n")
    with pytest.raises(SetupProblem, match=f"item 1: .*{why}"):
        lfs.main(sets, path, "label", 100)


def answer(tier: str, label: int, at: int) -> Answer:
    kind = next(iter(AnnotatorKind))
    return Answer(1, "somebody", kind, tier, next(iter(Purpose)), label, at)


def rows(texts: list[str], answers: list[tuple[int, Answer]]) -> TrainingRows:
    n = len(texts)
    return TrainingRows(
        ids=texts,
        payloads=[json.dumps({"id": text, "text": text}).encode() for text in texts],
        subjects=[None] * n,
        arrived=np.zeros(n, np.int64),
        functions=np.zeros(n, np.int64),
        inline=[np.zeros(0, np.int8)] * n,
        sets={},
        names={},
        vectors=np.zeros((n, 0), np.float16),
        has_vector=np.zeros(n, np.bool_),
        encoder=None,
        answers=answers,
    )
