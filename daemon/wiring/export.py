"""`labelloop export`: labeled items as a file that other programs learn from."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from daemon.adapters.store.exports import ExportRoom
from daemon.core.errors import SetupProblem
from daemon.core.exporting import FORMATS, OF_PAIRS, LabeledItem, LeftOut, Wish
from daemon.core.states import LabelStatus
from daemon.wiring import parts
from daemon.wiring.config import Config
from labeling_functions.task import PREFERENCE

_encode = msgspec.json.Encoder().encode


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
        with unfinished.open("wb") as file:
            found = _write(file, ExportRoom(database).labeled(wish.statuses), form, wish)
        unfinished.replace(out)
    except OSError as error:
        raise SetupProblem(f"export: {out} cannot be written: {error.strerror}") from None
    finally:
        database.close()
        unfinished.unlink(missing_ok=True)
    return found


def _write(file: BinaryIO, items: Iterable[LabeledItem], form: str, wish: Wish) -> tuple[int, Counter[str]]:
    written, left_out = 0, Counter[str]()
    for item in items:
        made = FORMATS[form](item, wish)
        if isinstance(made, LeftOut):
            left_out[made.why] += 1
        else:
            file.write(_encode(made) + b"\n")
            written += 1
    return written, left_out


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
