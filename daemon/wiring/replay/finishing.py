"""What a replay leaves: its chunks joined to the files that were asked for, each whole or not at all."""

from collections.abc import Collection, Mapping
from pathlib import Path

from daemon.adapters.replayed import FORMS, JsonLines
from daemon.core.replaying import Relabeled
from daemon.wiring.replay import report
from daemon.wiring.replay.chunks import REJECTED, ROWS, TURNED, Chunk, ChunkFolder
from labeling_functions.label_space import LabelSpace


def finish(
    folder: ChunkFolder, done: Mapping[int, Chunk], space: LabelSpace, rows: Path | None, out: Path
) -> list[str]:
    """Rows, if they are wanted, and what was rejected, in a file beside `out`; what people are told."""
    rejected = _beside(out, REJECTED)
    _join_lines(folder, REJECTED, done, rejected)
    if rows is not None:
        _join_rows(folder, done, space, rows)
    return report.lines(report.summed(done), rejected)


def finish_diff(
    folder: ChunkFolder, done: Mapping[int, Chunk], out: Path, bundle: int | None, ask_below: float
) -> list[str]:
    """The report, and beside it what turns; what people are told."""
    turned, total = _beside(out, TURNED), report.summed(done)
    _join_lines(folder, TURNED, done, turned)
    _write(out, report.as_json(total, bundle, ask_below))
    return report.compared(total, turned)


def _join_rows(folder: ChunkFolder, done: Collection[int], space: LabelSpace, out: Path) -> None:
    form, files = FORMS[out.suffix], folder.files(ROWS, done)
    if not files:
        _write(out, form.chunk(Relabeled.nothing(space.n_facets * len(space.options)), space))
        return
    unfinished = _unfinished(out)
    form.join(files, unfinished)
    unfinished.replace(out)


def _join_lines(folder: ChunkFolder, kind: str, done: Collection[int], out: Path) -> None:
    """Those of an earlier replay go, even where there are none now."""
    out.unlink(missing_ok=True)
    if files := folder.files(kind, done):
        unfinished = _unfinished(out)
        JsonLines().join(files, unfinished)
        unfinished.replace(out)


def _write(out: Path, data: bytes) -> None:
    unfinished = _unfinished(out)
    unfinished.write_bytes(data)
    unfinished.replace(out)


def _beside(file: Path, ending: str) -> Path:
    return file.with_suffix(f".{ending}")


def _unfinished(out: Path) -> Path:
    return out.with_name(f"{out.name}.part")
