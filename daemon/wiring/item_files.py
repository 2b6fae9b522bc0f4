"""Items from files: JSON lines, CSV, Parquet, folders of Parquet files; read some at a time."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from daemon.core.errors import SetupProblem

ROWS = 500
"""Rows of a Parquet file in memory."""

MOST_CELL = 16_000_000
"""Characters in one cell of a CSV file."""

CONTENT = "content"
"""Column of an export that holds the item as it came."""

OWN = ("id", "subject", "created")

Lines = Iterator[tuple[str, bytes]]
"""Where each item stands, for messages, and the item as JSON."""


def item_lines(file: Path) -> Lines:
    """Items of a file, `-` for standard input.

    A row of a table is an item whose id is in column `id`, or made from the file's name and the row's number.
    With a column `text` that is the item, and other columns are metadata; without one they are its fields.
    What `labelloop export` wrote has the items in column `content`, and is read from there.

    Raises:
        SetupProblem: the file cannot be read.
    """
    with read_problems(file):
        if str(file) == "-":
            yield from _lines(sys.stdin.buffer, "standard input")
        elif is_parquet(file):
            yield from _table(_parquet_rows(file), file)
        elif is_csv(file):
            yield from _table(_csv_rows(file), file)
        else:
            with file.open("rb") as lines:
                yield from _lines(lines, str(file))


def is_parquet(file: Path) -> bool:
    """Whether it is read as Parquet: one file, or a folder of files."""
    return file.is_dir() or file.suffix == ".parquet"


def is_csv(file: Path) -> bool:
    """Whether it is read as CSV."""
    return file.suffix == ".csv"


@contextmanager
def read_problems(file: Path) -> Iterator[None]:
    """What can be wrong with a file, said plainly.

    Raises:
        SetupProblem: instead of what reading raises.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise SetupProblem(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from error
    except (OSError, csv.Error, pa.ArrowException) as error:
        raise SetupProblem(f"{file} cannot be read: {error}") from error


def _lines(lines: Any, name: str) -> Lines:
    for number, line in enumerate(lines, start=1):
        yield f"{name}, line {number}", line


def _csv_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(MOST_CELL)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines, strict=True)


def _parquet_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    for one in parquet_files(file):
        with pq.ParquetFile(one) as opened:
            for batch in opened.iter_batches(ROWS):
                yield from batch.to_pylist()


def parquet_files(file: Path) -> list[Path]:
    """The file itself, or those of a folder in order. Raises SetupProblem for a folder without one."""
    files = sorted(file.rglob("*.parquet")) if file.is_dir() else [file]
    if not files:
        raise SetupProblem(f"{file}: there is no Parquet file in this folder")
    return files


def _table(rows: Iterable[Mapping[str, Any]], file: Path) -> Lines:
    for number, row in enumerate(rows, start=1):
        yield f"{file}, row {number}", row_item(row, file, number)


def row_item(row: Mapping[str, Any], file: Path, number: int) -> bytes:
    """The item of a table's row as JSON; `number` of the row from 1, for an id where it has none."""
    content = row.get(CONTENT)
    if isinstance(content, str):
        return content.encode()
    item = _item(row, f"{file.stem}-{number}")
    return json.dumps(item, ensure_ascii=False, default=str).encode()


def _item(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    given = {key: value for key, value in row.items() if value is not None and value != ""}
    own = {key: str(given[key]) for key in OWN if key in given}
    others = {key: value for key, value in given.items() if key not in OWN and key is not None}
    if "text" not in others:
        return {"id": name, **own, "fields": others}
    text = str(others.pop("text"))
    return {"id": name, **own, "text": text, **({"metadata": others} if others else {})}
