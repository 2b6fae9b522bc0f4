"""Items labeled anew, written chunk by chunk and joined to one file: JSON lines or Parquet."""

import io
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from daemon.core.replaying import Relabeled
from labeling_functions.label_space import LabelSpace

_encode = msgspec.json.Encoder().encode

DECIMALS = 6
"""Of probabilities, as exports have them."""


class Form(Protocol):
    """A form of file. Chunks written at different times join to what one writing would have given."""

    def chunk(self, found: Relabeled, space: LabelSpace) -> bytes:
        """A file with these items."""

    def join(self, chunks: Iterable[Path], out: Path) -> None:
        """One file with the items of all chunks, in order. Raises OSError."""


class JsonLines:
    """One JSON object an item a line."""

    def chunk(self, found: Relabeled, space: LabelSpace) -> bytes:
        """Lines, each with its end."""
        likely = _by_class(found, space).tolist()
        scores, votes = _rounded(found.scores).tolist(), found.votes.tolist()
        return b"".join(
            _encode(
                {
                    "item": id_,
                    "label": space.said(label),
                    "probabilities": dict(zip(space.classes, likely[row], strict=True)),
                    "confidence": scores[row],
                    "votes": votes[row],
                }
            )
            + b"\n"
            for row, (id_, label) in enumerate(zip(found.ids, found.labels.tolist(), strict=True))
        )

    def join(self, chunks: Iterable[Path], out: Path) -> None:
        """One after the other."""
        with out.open("wb") as joined:
            for chunk in chunks:
                with chunk.open("rb") as part:
                    shutil.copyfileobj(part, joined)


class Parquet:
    """Typed columns, compressed; a row group a chunk, chunks without an item left out."""

    def chunk(self, found: Relabeled, space: LabelSpace) -> bytes:
        """A whole Parquet file."""
        likely = _by_class(found, space)
        labels = [space.said(label) for label in found.labels.tolist()]
        columns: dict[str, Any] = {
            "item": pa.array(found.ids, pa.string()),
            "label": pa.array(labels, pa.list_(pa.string()) if space.sets else pa.string()),
            **{f"p_{name}": pa.array(likely[:, place]) for place, name in enumerate(space.classes)},
            "confidence": pa.array(_rounded(found.scores)),
            "votes": pa.array(found.votes, pa.int64()),
        }
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file, compression="zstd")
        return file.getvalue()

    def join(self, chunks: Iterable[Path], out: Path) -> None:
        """Row group by row group, one chunk in memory."""
        writer: Any = None
        try:
            for chunk in chunks:
                table = pq.read_table(chunk)
                writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
                if len(table):
                    writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()


FORMS: Mapping[str, Form] = {".jsonl": JsonLines(), ".parquet": Parquet()}
"""By the ending of the file's name."""


def _by_class(found: Relabeled, space: LabelSpace) -> NDArray[np.float64]:
    """(n, C) how likely each class is, or of a multilabel task that it applies."""
    posterior = found.posterior[:, 1::2] if space.sets else found.posterior
    return _rounded(posterior)


def _rounded(values: Any) -> NDArray[np.float64]:
    rounded: NDArray[np.float64] = np.asarray(values, np.float64).round(DECIMALS)
    return rounded
