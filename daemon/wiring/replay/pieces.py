"""Stretches of files that are labeled at once: where each begins and ends, and the items in it."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq

from daemon.core.wire import Record
from daemon.wiring.item_files import (
    MOST_CELL,
    ROWS,
    is_csv,
    is_parquet,
    parquet_files,
    read_problems,
    row_item,
)

LINES, CSV, PARQUET, TOPIC, STORED = "lines", "csv", "parquet", "topic", "stored"
"""Kinds of archive."""

UNITS = {LINES: "line", CSV: "row", PARQUET: "row", STORED: "item"}
"""What is counted in an archive."""

MOST_BYTES = 32_000_000
"""A piece ends here, however few its rows: a whole piece is in memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an archive.

    Attributes:
        kind: of archive.
        source: file, folder or topic, as it was named.
        path: the file that is read; the topic; empty for stored items.
        partition: of a topic.
        first: number of its first line or row in the source, from 1. rows: how many there are, at most.
        start, end: from where to where, in bytes of the file, rows of a Parquet file, offsets of a topic,
            milliseconds in which stored items came.
        weight: its part of the archive's, which bars of progress show.
    """

    kind: str
    source: str
    path: str
    partition: int
    first: int
    rows: int
    start: int
    end: int
    weight: float

    def place(self, record: Record) -> str:
        """Where a record of this piece stands, in words."""
        if self.kind == TOPIC:
            return f"{self.source}, partition {record.partition}, offset {record.offset}"
        return f"{self.source}, {UNITS[self.kind]} {record.offset}"


def pieces_of(file: Path, rows: int) -> Iterator[Piece]:
    """A file, or a folder of Parquet files, in pieces of so many lines or rows; the same each time.

    Raises:
        SetupProblem: it cannot be read.
    """
    with read_problems(file):
        if is_parquet(file):
            yield from _parquet_pieces(file, rows)
        elif is_csv(file):
            yield from _csv_pieces(file, rows)
        else:
            yield from _line_pieces(file, rows)


def read_piece(piece: Piece) -> list[Record]:
    """The items of a file's piece, as records whose offset is the number of their line or row.

    Raises:
        SetupProblem: it cannot be read.
    """
    path = Path(piece.path)
    with read_problems(path):
        if piece.kind == LINES:
            values = _read_bytes(path, piece).split(b"\n")
            numbered = [(piece.first + place, line.strip()) for place, line in enumerate(values)]
            return [_record(piece, number, line) for number, line in numbered if line]
        rows = _csv_rows(path, piece) if piece.kind == CSV else _parquet_rows(path, piece)
        source = Path(piece.source)
        return [
            _record(piece, number, row_item(row, source, number))
            for number, row in enumerate(rows, start=piece.first)
        ]


def columns_of(file: Path) -> list[str]:
    """Names of the columns of a table: of CSV the heading, of a folder of Parquet files those of its first.

    Raises:
        SetupProblem: it cannot be read.
    """
    with read_problems(file):
        if is_parquet(file):
            return [str(name) for name in pq.read_schema(parquet_files(file)[0]).names]
        with file.open("rb") as lines:
            return next((row for row in csv.reader(_Consumed(lines), strict=True) if row), [])


def _record(piece: Piece, number: int, value: bytes) -> Record:
    return Record(piece.source, 0, number, None, value, 0)


def _line_pieces(file: Path, rows: int) -> Iterator[Piece]:
    with file.open("rb") as lines:
        yield from _cut(file, LINES, _ends(lines), 0, rows)


def _ends(lines: IO[bytes]) -> Iterator[int]:
    end = 0
    for line in lines:
        end += len(line)
        yield end


def _csv_pieces(file: Path, rows: int) -> Iterator[Piece]:
    with file.open("rb") as lines:
        ends = _csv_ends(lines)
        heading = next(ends, None)
        if heading is not None:
            yield from _cut(file, CSV, ends, heading, rows)


def _csv_ends(lines: IO[bytes]) -> Iterator[int]:
    """Where each row ends, the heading first; rows may have several lines."""
    consumed = _Consumed(lines)
    for row in csv.reader(consumed, strict=True):
        if row:
            yield consumed.bytes


class _Consumed:
    """Lines of a CSV file, and how many bytes of it were read: its reader takes no line before its time."""

    def __init__(self, lines: IO[bytes]) -> None:
        csv.field_size_limit(MOST_CELL)
        self._lines = lines
        self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        """As text; the mark that some programs put at the beginning left out."""
        for line in self._lines:
            encoding = "utf-8" if self.bytes else "utf-8-sig"
            self.bytes += len(line)
            yield line.decode(encoding)


def _cut(file: Path, kind: str, ends: Iterator[int], start: int, rows: int) -> Iterator[Piece]:
    """Pieces between these ends of lines or rows."""
    first, count, end = 1, 0, start
    for end in ends:
        count += 1
        if count >= rows or end - start >= MOST_BYTES:
            yield Piece(kind, str(file), str(file), 0, first, count, start, end, end - start)
            first, count, start = first + count, 0, end
    if count:
        yield Piece(kind, str(file), str(file), 0, first, count, start, end, end - start)


def _parquet_pieces(source: Path, rows: int) -> Iterator[Piece]:
    first = 1
    for file in parquet_files(source):
        with pq.ParquetFile(file) as opened:
            about = opened.metadata
            size = sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups))
        total, weight = about.num_rows, file.stat().st_size
        most = max(1, min(rows, MOST_BYTES * total // max(size, 1)))
        for start in range(0, total, most):
            count = min(most, total - start)
            share = weight * count / total
            yield Piece(PARQUET, str(source), str(file), 0, first, count, start, start + count, share)
            first += count


def _read_bytes(path: Path, piece: Piece) -> bytes:
    with path.open("rb") as file:
        file.seek(piece.start)
        return file.read(piece.end - piece.start)


def _csv_rows(path: Path, piece: Piece) -> Iterator[Mapping[str, Any]]:
    text = io.StringIO(_read_bytes(path, piece).decode(), newline="")
    yield from csv.DictReader(text, columns_of(path), strict=True)


def _parquet_rows(path: Path, piece: Piece) -> Iterator[Mapping[str, Any]]:
    """The row groups that it reaches into are read from their beginning, some rows in memory."""
    with pq.ParquetFile(path) as opened:
        groups, before = _groups(opened.metadata, piece)
        skip, wanted = piece.start - before, piece.end - piece.start
        for batch in opened.iter_batches(ROWS, row_groups=groups):
            kept = batch.slice(min(skip, len(batch)), wanted)
            skip, wanted = max(0, skip - len(batch)), wanted - len(kept)
            yield from kept.to_pylist()
            if not wanted:
                return


def _groups(about: Any, piece: Piece) -> tuple[list[int], int]:
    """Row groups that hold rows of the piece, and how many rows stand before the first of them."""
    groups: list[int] = []
    end, before = 0, 0
    for place in range(about.num_row_groups):
        start, end = end, end + about.row_group(place).num_rows
        if start < piece.end and end > piece.start:
            before = before if groups else start
            groups.append(place)
    return groups, before
