"""What the learner reads and promotes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.rows import I1, Answer


@dataclass(frozen=True, slots=True)
class News:
    """What happened since the current bundle was trained.

    `answers`: new answers; `gold`: all random blind answers; `items`: stored items;
    `age`: seconds since the training, or since the first item when nothing was ever trained.
    """

    answers: int
    gold: int
    items: int
    age: float


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What models learn from: n items, newest first, every answered item among them.

    Attributes:
        ids: item ids. texts: payloads as they came. arrived: (n,) ms.
        functions: (n,) id of the function set of each row; inline: one (m_i,) array a row.
        sets: function set id -> annotator ids of its columns.
        names: annotator id -> (name, version).
        vectors: (n, d) float16, zero rows where missing (`has_vector` False), by `encoder`.
        answers: (row, answer) pairs.
    """

    ids: Sequence[str]
    payloads: Sequence[bytes]
    subjects: Sequence[str | None]
    arrived: NDArray[np.int64]
    functions: NDArray[np.int64]
    inline: Sequence[I1]
    sets: Mapping[int, tuple[int, ...]]
    names: Mapping[int, tuple[str, str]]
    vectors: NDArray[np.float16]
    has_vector: NDArray[np.bool_]
    encoder: str | None
    answers: Sequence[tuple[int, Answer]] = ()


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle as the database keeps it. `data` are its bytes (npz with JSON inside)."""

    id: int
    digest: str
    data: bytes
    trained_at: int
    run_id: str | None
    mlflow_version: str | None
