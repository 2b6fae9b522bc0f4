"""A sample of items from a file: CSV with a heading, or JSON lines."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.core.errors import SetupProblem
from labeling_functions.items import Item
from labeling_functions.task import Task

UNKNOWN = -1
"""Truth of an item that nobody has told us."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Items, and what is known of them.

    Attributes:
        truth: (n,) label or UNKNOWN.
        source: where they come from, for the heading.
    """

    items: Sequence[Item]
    truth: NDArray[np.int64]
    source: str


def read_file(file: Path, label_column: str | None, task: Task, limit: int) -> Sample:
    """Items of a CSV file with a heading, or of JSON lines as they are sent to Kafka or with plain fields.

    Raises:
        SetupProblem: the file cannot be read, is empty, has no such column, or a class that does not exist.
    """
    rows = list(islice(file_rows(file), limit))
    if not rows:
        raise SetupProblem(f"{file} holds no items")
    truth = np.full(len(rows), UNKNOWN, dtype=np.int64)
    for index, row in enumerate(rows) if label_column is not None else ():
        truth[index] = class_of(row, str(label_column), task, f"{file}, item {index + 1}")
    items = [_item(row, label_column, index) for index, row in enumerate(rows)]
    return Sample(items, truth, str(file))


def file_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a CSV file with a heading, or of JSON lines.

    Raises:
        SetupProblem: the file cannot be read.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if file.suffix == ".csv":
                yield from csv.DictReader(lines, strict=True)
            elif file.suffix in (".jsonl", ".ndjson"):
                yield from _json_rows(lines, file)
            else:
                raise SetupProblem(f"{file}: items are read from .csv, .jsonl or .ndjson files")
    except OSError as error:
        raise SetupProblem(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SetupProblem(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from error
    except csv.Error as error:
        raise SetupProblem(f"{file} is not proper CSV: {error}") from error


def _json_rows(lines: Iterator[str], file: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise SetupProblem(f"{file}, line {number}: not JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise SetupProblem(f"{file}, line {number}: not a JSON object")
        yield row


def class_of(row: Mapping[str, Any], column: str, task: Task, place: str) -> int:
    """The label in this column; UNKNOWN if it is empty.

    Raises:
        SetupProblem: there is no such column or class; `place` says where.
    """
    if column not in row:
        raise SetupProblem(f"{place}: no column {column!r}; there are {', '.join(map(str, row))}")
    value = row[column]
    if value is None or value == "":
        return UNKNOWN
    if task.space.sets:
        return _set_of(value, task, place)
    if value not in task.classes:
        raise SetupProblem(f"{place}: {value!r} is none of the classes {', '.join(task.classes)}")
    return task.classes.index(value)


def _set_of(value: Any, task: Task, place: str) -> int:
    """The classes that apply: a list of names, in a CSV file written as JSON, or names with `;` between."""
    if isinstance(value, str) and value not in task.classes:
        value = _split(value)
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SetupProblem(f'{place}: {value!r} is no list of classes; write ["a", "b"], or a; b')
    try:
        return task.space.label_of(names)
    except ValueError as error:
        raise SetupProblem(f"{place}: {error}") from None


def _split(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [name.strip() for name in text.split(";")]


def _item(row: Mapping[str, Any], label_column: str | None, index: int) -> Item:
    fields = row["fields"] if isinstance(row.get("fields"), dict) else row
    kept = {name: value for name, value in fields.items() if name not in ("id", label_column)}
    return Item(str(row.get("id", index + 1)), kept)
