"""Items read from tables: what becomes text, fields, metadata and id."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daemon.adapters.tables import Csv, Parquet
from daemon.core.errors import SetupProblem
from daemon.core.exported_rows import TEXT, TEXTS
from daemon.wiring.item_files import item_lines


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for _, line in item_lines(file)]


def test_a_column_text_is_the_item_and_others_are_metadata(tmp_path: Path) -> None:
    file = tmp_path / "mail.csv"
    file.write_text('id,text,from,subject\na,"hi,\n there",bob,s1\n,ho,,\n', encoding="utf-8")
    assert read(file) == [
        {"id": "a", "subject": "s1", "text": "hi,\n there", "metadata": {"from": "bob"}},
        {"id": "mail-2", "text": "ho"},
    ]


def test_without_it_the_columns_are_fields(tmp_path: Path) -> None:
    file = tmp_path / "pairs.parquet"
    pq.write_table(pa.table({"id": [7, 8], "left": ["x", None], "n": [1, 2]}), file)
    assert read(file) == [
        {"id": "7", "fields": {"left": "x", "n": 1}},
        {"id": "8", "fields": {"n": 2}},
    ]


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for part in (1, 0):
        pq.write_table(pa.table({"text": [f"t{part}"]}), tmp_path / "data" / f"train-{part}.parquet")
    assert [one["text"] for one in read(tmp_path)] == ["t0", "t1"]


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "large.parquet"
    with Parquet(file, {"text": TEXT}, "large") as writer:
        for number in range(40_000):
            writer.write({"text": f"{number} " + "x" * 1_000})
    tracemalloc.start()
    count = sum(1 for _ in item_lines(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, writer.written) == (40_000, 40_000)
    assert peak < 10_000_000, "of 40 MB of text"


def test_lists_are_json_in_csv_and_lists_in_parquet(tmp_path: Path) -> None:
    columns = {"label": TEXTS}
    for form, name in ((Csv, "a.csv"), (Parquet, "a.parquet")):
        with form(tmp_path / name, columns, "a") as writer:
            writer.write({"label": ["late", "broken"]})
            writer.write({"label": []})
    assert (tmp_path / "a.csv").read_text().splitlines()[1:] == ['"[""late"",""broken""]"', "[]"]
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"label": ["late", "broken"]}, {"label": []}]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "empty"])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    if name == "empty":
        place.mkdir()
    else:
        place.write_bytes(b"\xff\xfe")
    with pytest.raises(SetupProblem, match=name):
        read(place)
