"""One labeled item as a flat row, for formats that are tables; pure."""

from collections.abc import Callable, Mapping

import msgspec

from daemon.core.exporting import Exported, LabeledItem, LeftOut, Wish, as_jsonl
from labeling_functions.task import Task

TEXT, REAL, WHOLE, TEXTS = "text", "real", "whole", "texts"
"""Kinds of column: text, floating point, whole numbers, lists of texts. Each may be null."""

_encode = msgspec.json.Encoder().encode

CERTIFICATE = ("alpha", "delta", "window", "threshold", "protocol")


def columns_of(task: Task) -> dict[str, str]:
    """Name -> kind of every column, in order."""
    return {
        "item": TEXT,
        "text": TEXT,
        "label": TEXTS if task.space.sets else TEXT,
        **{f"p_{name}": REAL for name in task.classes},
        "status": TEXT,
        "revision": WHOLE,
        "at": TEXT,
        "bundle": WHOLE,
        "cost": REAL,
        "certificate_alpha": REAL,
        "certificate_delta": REAL,
        "certificate_window": WHOLE,
        "certificate_threshold": REAL,
        "certificate_protocol": TEXT,
        "answers": TEXT,
        "votes": TEXT,
        "content": TEXT,
    }


def as_row(item: LabeledItem, wish: Wish) -> Exported:
    """The item with everything that its label rests on; what is nested is JSON in text."""
    told = as_jsonl(item, wish)
    if isinstance(told, LeftOut):
        return told
    likely, certificate = told["probabilities"], told["certificate"] or {}
    assert isinstance(likely, Mapping) and isinstance(certificate, Mapping)
    return {
        **{name: told[name] for name in ("item", "label", "status", "revision", "at", "bundle", "cost")},
        "text": _text(item.payload),
        **{f"p_{name}": p for name, p in likely.items()},
        **{f"certificate_{name}": certificate.get(name) for name in CERTIFICATE},
        **{name: _encode(told[name]).decode() for name in ("answers", "votes", "content")},
    }


def _text(payload: bytes) -> str | None:
    """Of items that are a text."""
    text = msgspec.json.decode(payload).get("text")
    return text if isinstance(text, str) else None


TABLES: Mapping[str, Callable[[LabeledItem, Wish], Exported]] = dict.fromkeys(
    ("csv", "parquet", "hf"), as_row
)
"""Formats that are tables, by their name on the command line."""
