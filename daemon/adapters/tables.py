"""Rows written as JSON lines, CSV, Parquet, or a folder that Hugging Face datasets load; some at a time."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from daemon.core.exported_rows import REAL, TEXT, TEXTS, WHOLE

Row = Mapping[str, Any]
Columns = Mapping[str, str]

GROUP = 2_000
"""Rows in a row group of Parquet, and in memory."""

CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
---

# {name}

Labels made with Labelloop.
"""

_encode = msgspec.json.Encoder().encode

ARROW: Mapping[str, Any] = {
    TEXT: pa.string(),
    REAL: pa.float64(),
    WHOLE: pa.int64(),
    TEXTS: pa.list_(pa.string()),
}


class RowWriter(Protocol):
    """A file that is written row by row, whole when its `with` block ends. `written`: rows so far."""

    written: int

    def write(self, row: Row) -> None:
        """Add a row."""

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""


class JsonLines:
    """One JSON object a line."""

    def __init__(self, place: Path, _columns: Columns, _name: str) -> None:
        self._file = place.open("wb")
        self.written = 0

    def write(self, row: Row) -> None:
        """Add a row."""
        self._file.write(_encode(row) + b"\n")
        self.written += 1

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()


class Csv:
    """With a heading; lists are JSON, what is null is empty."""

    def __init__(self, place: Path, columns: Columns, _name: str) -> None:
        self._file = place.open("w", encoding="utf-8", newline="")
        self._rows = csv.DictWriter(self._file, list(columns))
        self._rows.writeheader()
        self.written = 0

    def write(self, row: Row) -> None:
        """Add a row."""
        told = {
            name: _encode(value).decode() if isinstance(value, list) else value for name, value in row.items()
        }
        self._rows.writerow(told)
        self.written += 1

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()


class Parquet:
    """Typed columns, compressed."""

    def __init__(self, place: Path, columns: Columns, _name: str) -> None:
        self._schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
        self._file = pq.ParquetWriter(place, self._schema, compression="zstd")
        self._rows: list[Row] = []
        self.written = 0

    def write(self, row: Row) -> None:
        """Add a row."""
        self._rows.append(row)
        self.written += 1
        if len(self._rows) >= GROUP:
            self._flush()

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Write what is left, unless something went wrong, and close it."""
        if kind is None:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


class DatasetFolder(Parquet):
    """A folder with one Parquet file and a card, as datasets lie on the Hugging Face hub
    (https://huggingface.co/docs/hub/datasets-manual-configuration).
    """

    def __init__(self, place: Path, columns: Columns, name: str) -> None:
        (place / "data").mkdir(parents=True)
        (place / "README.md").write_text(CARD.format(name=name), encoding="utf-8")
        super().__init__(place / "data" / "train-00000-of-00001.parquet", columns, name)


WRITERS: Mapping[str, Callable[[Path, Columns, str], RowWriter]] = {
    "jsonl": JsonLines,
    "trl": JsonLines,
    "csv": Csv,
    "parquet": Parquet,
    "hf": DatasetFolder,
}
"""By the name of the format on the command line."""
