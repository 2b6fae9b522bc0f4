"""What the learner reads and promotes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from daemon.core.judge_rows import JudgeRecord
from daemon.core.rows import I1, Answer


@dataclass(frozen=True, slots=True)
class News:
    """What happened since the current bundle was trained.

    `answers`: new answers of people; `gold`: all random blind answers; `items`: stored items;
    `age`: seconds since the training, or since the first item when nothing was ever trained; `fresh`: random
    blind answers on items that came after the drift alarms that are open, None while none is.
    """

    answers: int
    gold: int
    items: int
    age: float
    fresh: int | None = None


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
        since: when the stream became another one (ms); None if no drift alarm was ever raised.
        judges: of pairs, and how far they go by the order.
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
    since: int | None = None
    judges: Sequence[JudgeRecord] = ()


class Standing(Enum):
    """Whether an item may be picked to learn from, or a person answered it or surely will."""

    FREE = "free"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Prospects:
    """What says how many items to pick to learn from.

    Attributes:
        answers: of people since the last run, those to earlier picks left out.
        waiting: picks that nobody has answered yet.
        drifting: an alarm of drift is open.
        certified_shares: share that each of the last closed windows released, in [0, 1], oldest first.
    """

    answers: int
    waiting: int
    drifting: bool
    certified_shares: Sequence[float]


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle as the database keeps it. `data` are its bytes (npz with JSON inside)."""

    id: int
    digest: str
    data: bytes
    trained_at: int
    run_id: str | None
    mlflow_version: str | None
