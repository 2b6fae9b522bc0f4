"""`labelloop export`: labeled items as a file or folder that other programs learn from."""

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from daemon.adapters.store.exports import ExportRoom
from daemon.adapters.tables import WRITERS, RowWriter
from daemon.core.errors import SetupProblem
from daemon.core.exported_rows import TABLES, columns_of
from daemon.core.exporting import FORMATS, OF_PAIRS, LabeledItem, LeftOut, Wish
from daemon.core.states import LabelStatus
from daemon.wiring import parts
from daemon.wiring.config import Config
from labeling_functions.task import PREFERENCE


def main(
    config: Config, out: Path, form: str, statuses: str, least: float | None, soft: bool
) -> tuple[int, Counter[str]]:
    """Write the file: it is there whole, or as it was before.

    Returns:
        (rows written, reason -> items left out).

    Raises:
        SetupProblem: the task is of another kind, there is no database, a status is unknown, or the file
            cannot be written.
    """
    _check(config, form, least, soft)
    wish = Wish(config.task, _statuses(statuses), 0.5 if least is None else least, soft)
    database = parts.open_database(config)
    unfinished = out.with_name(f"{out.name}.part")
    try:
        _remove(unfinished)
        with _writer(unfinished, form, config) as writer:
            left_out = _write(writer, ExportRoom(database).labeled(wish.statuses), form, wish)
        _put(unfinished, out)
    except OSError as error:
        raise SetupProblem(f"export: {out} cannot be written: {error.strerror or error}") from None
    finally:
        database.close()
        _remove(unfinished)
    return writer.written, left_out


def _writer(place: Path, form: str, config: Config) -> RowWriter:
    return WRITERS[form](place, columns_of(config.task), config.task.name)


def _write(writer: RowWriter, items: Iterable[LabeledItem], form: str, wish: Wish) -> Counter[str]:
    left_out = Counter[str]()
    for item in items:
        made = {**FORMATS, **TABLES}[form](item, wish)
        if isinstance(made, LeftOut):
            left_out[made.why] += 1
        else:
            writer.write(made)
    return left_out


def _put(unfinished: Path, out: Path) -> None:
    """In place of what is there; a folder only of one that was exported too."""
    if out.is_dir():
        if not (out / "data").is_dir() or not (out / "README.md").is_file():
            raise SetupProblem(f"export: {out} is a folder that no export wrote; name another")
        shutil.rmtree(out)
    unfinished.replace(out)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)


def _check(config: Config, form: str, least: float | None, soft: bool) -> None:
    if config.task.kind != PREFERENCE and (form in OF_PAIRS or least is not None or soft):
        raise SetupProblem(
            f"export: --format {form} with these options is of preference tasks, and task.kind is "
            f"{config.task.kind}; use --format jsonl alone"
        )
    if soft and form not in OF_PAIRS:
        raise SetupProblem("export: --soft is of --format trl; jsonl has the probabilities in any case")
    if not parts.has_database(config):
        raise SetupProblem("export: there is no database yet; `labelloop up` or `run` makes one")


def _statuses(text: str) -> tuple[LabelStatus, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [status.value for status in LabelStatus]
    if unknown := [name for name in names if name not in known]:
        raise SetupProblem(f"export: --status: {unknown[0]!r} is none of {', '.join(known)}")
    if not names:
        raise SetupProblem(f"export: --status: is empty; name some of {', '.join(known)}")
    return tuple(LabelStatus(name) for name in names)
