"""Archives cut into pieces: nothing is lost, doubled or named otherwise than where it is read in one go."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daemon.core.errors import SetupProblem
from daemon.wiring.item_files import item_lines
from daemon.wiring.replay import pieces
from daemon.wiring.replay.archives import found_files
from daemon.wiring.replay.pieces import pieces_of, read_piece

SIZES = [1, 2, 3, 7, 1_000]


def in_pieces(file: Path, size: int) -> list[tuple[str, bytes]]:
    return [
        (piece.place(record), record.value or b"")
        for piece in pieces_of(file, size)
        for record in read_piece(piece)
    ]


def in_one_go(file: Path) -> list[tuple[str, bytes]]:
    return [(place, line.strip()) for place, line in item_lines(file) if line.strip()]


@pytest.fixture(params=["jsonl", "csv", "parquet", "folder"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive of each kind, with what is awkward in it."""
    rows: list[dict[str, Any]] = [{"text": f"t{n} \u05e9", "note": f"line\nbreak {n}"} for n in range(20)]
    place = tmp_path / f"archive.{request.param}"
    if request.param == "jsonl":
        lines = [json.dumps({"id": str(n), **row}) for n, row in enumerate(rows)]
        place.write_bytes("\r\n".join([*lines[:9], "", "no json", *lines[9:]]).encode())  # no end of line
    elif request.param == "csv":
        cells = [f'"{row["note"]}","said ""{row["text"]}"""' for row in rows]
        place.write_bytes("\ufeffnote,text\n".encode() + "\n\n".join(cells).encode())
    elif request.param == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), place, row_group_size=6)
    else:
        place.mkdir()
        for part in range(3):
            pq.write_table(
                pa.Table.from_pylist(rows[part * 7 : part * 7 + 7]),
                place / f"{part}.parquet",
                row_group_size=3,
            )
    return place


@pytest.mark.parametrize("size", SIZES)
def test_pieces_hold_what_one_reading_gives(file: Path, size: int) -> None:
    assert in_pieces(file, size) == in_one_go(file)
    assert len(in_one_go(file)) in (20, 21)


@pytest.mark.parametrize("size", SIZES)
def test_no_piece_is_larger_and_weights_add_up(file: Path, size: int) -> None:
    cut = list(pieces_of(file, size))
    assert all(len(read_piece(piece)) <= piece.rows <= size for piece in cut)
    heading = len("\ufeffnote,text\n".encode()) if file.suffix == ".csv" else 0
    assert sum(piece.weight for piece in cut) == pytest.approx(found_files([str(file)]).weight() - heading)


def test_long_items_make_short_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_BYTES", 1_000)
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    lines.write_bytes(b"\n".join([b"x" * 300] * 12))
    pq.write_table(pa.table({"text": [f"{n}" * 300 for n in range(12)]}), table, use_dictionary=False)
    assert [piece.rows for piece in pieces_of(lines, 100)] == [4, 4, 4]
    assert max(piece.rows for piece in pieces_of(table, 100)) <= 4
    assert sum(piece.rows for piece in pieces_of(table, 100)) == 12


def test_patterns_give_files_in_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.csv"):
        (tmp_path / name).write_text("id,text\n")
    found = found_files([str(tmp_path / "c.csv"), str(tmp_path / "*.jsonl")])
    assert [file.name for file in found.files] == ["c.csv", "a.jsonl", "b.jsonl"]


def test_what_cannot_be_an_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match=r"there is no file .*absent\*"):
        found_files([str(tmp_path / "absent*")])
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(SetupProblem, match="named twice"):
        found_files([str(tmp_path / "a.jsonl"), str(tmp_path / "*.jsonl")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SetupProblem, match="no Parquet file"):
        list(found_files([str(tmp_path / "empty")]).pieces(10))


def test_rows_of_two_tables_never_get_the_same_ids(tmp_path: Path) -> None:
    for folder in ("may", "june"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mail.csv").write_text("text\nhello\n")
    with pytest.raises(SetupProblem, match=r"june.mail.csv and .*may.mail.csv have no column id"):
        found_files([str(tmp_path / "*" / "mail.csv")])
    for folder in ("may", "june"):
        (tmp_path / folder / "mail.csv").write_text(f"id,text\n{folder},hello\n")
    assert len(found_files([str(tmp_path / "*" / "mail.csv")]).files) == 2


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(SetupProblem, match=r"broken.parquet cannot be read"):
        list(pieces_of(broken, 10))
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"text\n\xff\n")
    with pytest.raises(SetupProblem, match=r"broken.csv is not UTF-8"):
        list(pieces_of(broken, 10))
