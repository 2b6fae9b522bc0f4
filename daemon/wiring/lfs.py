"""`labelloop lfs`: what the labelling functions are worth, on stored items or on a file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console

from daemon.adapters.store.learning import LearningRoom
from daemon.core.decoding import decode_stored
from daemon.core.errors import SetupProblem
from daemon.core.learning_rows import TrainingRows
from daemon.wiring import parts
from daemon.wiring.config import Config
from daemon.wiring.sample_file import UNKNOWN, Sample, read_file
from labeling_functions.analysis import analyze_all, table
from labeling_functions.applier import Applied, Applier
from labeling_functions.loading import load


def main(config: Config, file: Path | None, label_column: str | None, limit: int) -> None:
    """Print the table.

    Raises:
        SetupProblem: there are no items, or the file cannot be used.
        LoadError: the labelling functions cannot be loaded.
    """
    functions = load(config.functions.modules, config.folder)
    if not functions:
        raise SetupProblem("functions.modules names no module; there are no labelling functions to report on")
    if file is None and label_column is not None:
        raise SetupProblem("--label-column goes with --file; stored items have people's answers")
    sample = stored(config, limit) if file is None else read_file(file, label_column, config.task, limit)
    space = config.task.space
    applied = Applier(functions, space, config.stream.function_seconds).apply(sample.items)
    reports = analyze_all(applied.L, [function.name for function in functions], space, sample.truth)
    shown = table(reports, space.options)
    # Never narrower than the table: where it must break, a terminal breaks it better than dots in names.
    console = Console(width=max(Console().width, Console(width=1_000).measure(shown).maximum))
    known = int((sample.truth != UNKNOWN).sum())
    what = "the classes of {:,} are known" if space.sets else "the class of {:,} is known"
    print(f"{len(sample.items):,} items from {sample.source}; {what.format(known)}")
    console.print(shown)
    for line in complaints(applied):
        print(line)


def complaints(applied: Applied) -> Iterator[str]:
    """What went wrong while they ran."""
    for name, count in applied.failures.items():
        yield f"{name} abstained on {count:,} items that it failed on; the first: {applied.messages[name]}"
    for name, seconds in applied.slow.items():
        yield f"{name} took {seconds:.1f} s"


def stored(config: Config, limit: int) -> Sample:
    """The newest stored items; what a final tier answered, latest, is their truth.

    Raises:
        SetupProblem: the database cannot be reached, or holds no item.
    """
    database = parts.open_database(config)
    try:
        rows = LearningRoom(database).training_rows(limit)
    finally:
        database.close()
    if not rows.ids:
        raise SetupProblem("no item is stored yet; `--file` reports on a file instead")
    return from_rows(rows, frozenset(name for name, tier in config.tiers.items() if tier.final))


def from_rows(rows: TrainingRows, final: frozenset[str]) -> Sample:
    """Stored rows as a sample; `final` names the tiers whose answers are the truth."""
    truth = np.full(len(rows.ids), UNKNOWN, dtype=np.int64)
    for row, answer in sorted(rows.answers, key=lambda pair: pair[1].at):
        if answer.tier in final:
            truth[row] = answer.label
    return Sample([decode_stored(payload) for payload in rows.payloads], truth, "the database")
