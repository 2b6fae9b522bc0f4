"""How arrays and messages are kept in columns of bytes."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from daemon.core.report_rows import NO_CLASS
from daemon.core.rows import F4, I1
from daemon.core.window_rows import Frozen
from daemon.core.wire import OutMessage
from labeling_functions.label_space import joined, spread


def rows_of(array: NDArray[Any], dtype: str) -> list[bytes]:
    """Each row of an (n, ...) array as little-endian bytes of this type."""
    n = len(array)
    data = np.ascontiguousarray(array, np.dtype(dtype)).tobytes()
    size = len(data) // n if n else 0
    return [data[start : start + size] for start in range(0, n * size, size)] if size else [b""] * n


def i1(data: bytes) -> I1:
    """Votes or class indices."""
    return np.frombuffer(data, np.int8)


def label_of(data: bytes) -> int:
    """A label as one number: a class index, or of a multilabel task (one byte a class) the set's bits."""
    return int(joined(i1(data)[None])[0])


def label_bytes(label: int, n_facets: int) -> bytes:
    """`label_of` backwards; `n_facets` is the number of classes of a multilabel task, 1 of others."""
    return spread(np.array([label]), n_facets).tobytes()


def classes_in(data: bytes) -> list[int]:
    """Indices of the classes that a stored label names; [NO_CLASS] if it says that none applies."""
    if len(data) == 1:
        return [label_of(data)]
    return np.flatnonzero(i1(data) == 1).tolist() or [NO_CLASS]


def f2(data: bytes) -> NDArray[np.float16]:
    """An embedding."""
    return np.frombuffer(data, np.dtype("<f2")).astype(np.float16, copy=False)


def f4(data: bytes) -> F4:
    """Probabilities."""
    return np.frombuffer(data, np.dtype("<f4")).astype(np.float32, copy=False)


def f8(data: bytes) -> NDArray[np.float64]:
    """Thresholds."""
    return np.frombuffer(data, np.dtype("<f8")).astype(np.float64, copy=False)


def i8(data: bytes) -> NDArray[np.int64]:
    """Counts."""
    return np.frombuffer(data, np.dtype("<i8")).astype(np.int64, copy=False)


def i4(data: bytes) -> NDArray[np.int32]:
    """Annotator ids, or indices into a window."""
    return np.frombuffer(data, np.dtype("<i4")).astype(np.int32, copy=False)


class _PackedMessage(msgspec.Struct, array_like=True, gc=False):
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class _PackedWindow(msgspec.Struct, array_like=True, gc=False):
    ids: list[str]
    scores: bytes
    labels: bytes


_pack = msgspec.msgpack.Encoder().encode
_messages = msgspec.msgpack.Decoder(list[_PackedMessage])
_window = msgspec.msgpack.Decoder(_PackedWindow)


def pack_messages(messages: Sequence[OutMessage]) -> bytes:
    """Messages of one topic and partition, in order."""
    return _pack([(message.key, message.value, message.headers) for message in messages])


def unpack_messages(topic: str, partition: int, data: bytes) -> list[OutMessage]:
    """What `pack_messages` packed."""
    return [
        OutMessage(topic, partition, packed.key, packed.value, packed.headers)
        for packed in _messages.decode(data)
    ]


def pack_frozen(frozen: Frozen) -> bytes:
    """A window's ids, scores and labels."""
    scores = np.ascontiguousarray(frozen.scores, np.dtype("<f4")).tobytes()
    return _pack(_PackedWindow(list(frozen.ids), scores, np.ascontiguousarray(frozen.labels, "i1").tobytes()))


def unpack_frozen(data: bytes) -> Frozen:
    """What `pack_frozen` packed."""
    packed = _window.decode(data)
    return Frozen(packed.ids, f4(packed.scores), i1(packed.labels).reshape(len(packed.ids), -1))


def said_columns(label: int, probabilities: Sequence[float] | None, n_facets: int) -> dict[str, bytes | None]:
    """What an answer says, as the columns of `answers` hold it."""
    return {
        "labels": label_bytes(label, n_facets),
        "probabilities": None if probabilities is None else np.array(probabilities, "<f4").tobytes(),
    }


def said_in(answer: Row[Any]) -> dict[str, bytes | None]:
    """The same of a stored answer, to be compared."""
    kept = answer.probabilities
    return {"labels": bytes(answer.labels), "probabilities": None if kept is None else bytes(kept)}
