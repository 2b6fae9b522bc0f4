"""`labelloop gold`: labels that somebody vouches for, which control questions are judged by."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from daemon.adapters.store.truths import TruthRoom
from daemon.core.errors import SetupProblem
from daemon.wiring import accounts, parts
from daemon.wiring.config import Config
from daemon.wiring.sample_file import UNKNOWN, class_of, file_rows
from labeling_functions.task import Task


def add(config: Config, file: Path, id_column: str, label_column: str) -> str:
    """Vouch for every label of a file, or for none; what to tell.

    Raises:
        SetupProblem: the file cannot be read, or a row has no item or no class of this task.
    """
    known = read_known(file, id_column, label_column, config.task)
    with _room(config) as room:
        there = room.vouch_all(known, accounts.at_command_line(), file.name)
    later = f"; {len(known) - there:,} of items that are still to come" if there < len(known) else ""
    return f"{len(known):,} known labels{later}"


def remove(config: Config, item: str) -> str:
    """Vouch for an item's label no longer; what to tell.

    Raises:
        SetupProblem: nobody vouches for it.
    """
    with _room(config) as room:
        if not room.forget(item, accounts.at_command_line()):
            raise SetupProblem(f"nobody vouches for a label of {item!r}; see `labelloop gold list`")
    return f"the label of {item} is known no longer"


def show(config: Config, limit: int) -> None:
    """Print the newest known labels."""
    with _room(config) as room:
        found = room.known_labels(limit)
    table = Table(title="Known labels", title_justify="left")
    for title in ("item", "label", "vouched for by", "item is there"):
        table.add_column(title)
    for one in found:
        label = config.task.space.text(one.label)
        table.add_row(one.item, label, one.source, "no" if one.payload is None else "yes")
    Console().print(table)


def read_known(file: Path, id_column: str, label_column: str, task: Task) -> dict[str, int]:
    """Item -> label, of a CSV file with a heading or of JSON lines.

    Raises:
        SetupProblem: a row has no id or no class of this task, or an item has two labels; says which row.
    """
    known: dict[str, int] = {}
    for number, row in enumerate(file_rows(file), start=1):
        place = f"{file}, row {number}"
        item, label = row.get(id_column), class_of(row, label_column, task, place)
        if not isinstance(item, str) or not item:
            raise SetupProblem(f"{place}: no item in column {id_column!r}; it is the id of topic `items`")
        if label == UNKNOWN:
            raise SetupProblem(f"{place}: {item!r} has no label in column {label_column!r}")
        if known.setdefault(item, label) != label:
            raise SetupProblem(f"{place}: {item!r} has another label further up")
    return known


@contextmanager
def _room(config: Config) -> Iterator[TruthRoom]:
    database = parts.open_database(config)
    try:
        yield TruthRoom(database, config.task.space.n_facets)
    finally:
        database.close()
