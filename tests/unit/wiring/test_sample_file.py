"""Items from files, for the report on labelling functions."""

from pathlib import Path

import pytest

from daemon.core.errors import SetupProblem
from daemon.wiring.sample_file import Sample, read_file
from labeling_functions.task import Task

TASK = Task("t", ("ham", "spam"))


def read(folder: Path, name: str, content: str | bytes, label: str | None = None, limit: int = 100) -> Sample:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(file, label, TASK, limit)


def test_csv_columns_become_fields(tmp_path: Path) -> None:
    sample = read(tmp_path, "a.csv", '\ufefftext,title,id,label\n"a, b",T,x7,spam\nc,U,x8,\n', "label")
    assert [item.id for item in sample.items] == ["x7", "x8"]
    assert sample.items[0].fields == {"text": "a, b", "title": "T"}
    assert sample.truth.tolist() == [1, -1]


def test_json_lines_are_read_as_kafka_takes_them(tmp_path: Path) -> None:
    lines = (
        '{"id": "1", "text": "a", "label": "ham"}\n\n{"id": "2", "fields": {"title": "b"}, "label": null}\n'
    )
    sample = read(tmp_path, "a.jsonl", lines, "label")
    assert [item.fields for item in sample.items] == [{"text": "a"}, {"title": "b"}]
    assert sample.truth.tolist() == [0, -1]


def test_without_a_label_column_nothing_is_known(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "text,label\na,spam\n").truth.tolist() == [-1]


def test_items_without_an_id_are_numbered_and_limited(tmp_path: Path) -> None:
    sample = read(tmp_path, "a.csv", "text\na\nb\nc\n", limit=2)
    assert [item.id for item in sample.items] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "text,label\na,spma\n", "a.csv, item 1: 'spma' is none of the classes ham, spam"),
        ("a.csv", "text,class\na,spam\n", "no column 'label'; there are text, class"),
        ("a.csv", "text,label\n", "holds no items"),
        ("a.csv", b"text,label\n\xff,spam\n", "is not UTF-8"),
        ("a.jsonl", '{"text": "a", "label": "ham"}\n{"text"', "line 2: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: not a JSON object"),
        ("a.jsonl", '{"text": "a", "label": ["x"]}\n', "is none of the classes"),
        ("a.parquet", "", "items are read from .csv, .jsonl or .ndjson"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    with pytest.raises(SetupProblem, match=expected):
        read(tmp_path, name, content, "label")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match="cannot be read: No such file"):
        read_file(tmp_path / "a.csv", None, TASK, 10)
