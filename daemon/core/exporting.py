"""What is exported of labeled items: one function a format, each pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from daemon.core.decoding import decode_stored
from daemon.core.states import LabelStatus
from labeling_functions.pairs import TIE, A, pair_of, preference
from labeling_functions.task import PREFERENCE, Task


@dataclass(frozen=True, slots=True)
class LabeledItem:
    """An item with its current published label.

    Attributes:
        id, payload: the item as it came.
        label: as `labeling_functions.label_space` has labels. probabilities: (F*K,).
        status: what the label rests on. revision: how often it was published.
    """

    id: str
    payload: bytes
    label: int
    probabilities: tuple[float, ...]
    status: LabelStatus
    revision: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted.

    Attributes:
        task: of the labels.
        statuses: labels that rest on these.
        least: of pairs, how likely the preferred response must be preferred, a tie counting half.
        soft: whether that probability is written too.
    """

    task: Task
    statuses: tuple[LabelStatus, ...]
    least: float = 0.5
    soft: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why an item is not exported, in words to be counted by."""

    why: str


Exported = Mapping[str, object] | LeftOut
"""One JSON object, or the reason why there is none."""


def as_trl(item: LabeledItem, wish: Wish) -> Exported:
    """TRL's preference form with an explicit prompt: `prompt`, `chosen`, `rejected`.

    With `soft` also `chosen_probability`, which TRL's trainers do not read.
    """
    if item.label == TIE:
        return LeftOut("ties")
    pair = pair_of(decode_stored(item.payload))
    chosen, rejected = (pair.a, pair.b) if item.label == A else (pair.b, pair.a)
    likely = preference(item.probabilities) if item.label == A else 1 - preference(item.probabilities)
    if likely < wish.least:
        return LeftOut(f"below a preference of {wish.least:g}")
    row: dict[str, object] = {"prompt": pair.prompt, "chosen": chosen, "rejected": rejected}
    return row | {"chosen_probability": round(likely, 6)} if wish.soft else row


def as_jsonl(item: LabeledItem, wish: Wish) -> Exported:
    """The item as it came, with its label."""
    space = wish.task.space
    by_class = space.by_class(item.probabilities)
    row: dict[str, object] = {
        "item": item.id,
        "label": space.said(item.label),
        "probabilities": {name: round(p, 6) for name, p in zip(space.classes, by_class, strict=True)},
        "status": item.status.value,
        "revision": item.revision,
        "content": msgspec.Raw(item.payload),
    }
    if wish.task.kind == PREFERENCE:
        likely = preference(item.probabilities)
        if max(likely, 1 - likely) < wish.least:
            return LeftOut(f"below a preference of {wish.least:g}")
        row["preference"] = round(likely, 6)
    return row


FORMATS: Mapping[str, Callable[[LabeledItem, Wish], Exported]] = {"jsonl": as_jsonl, "trl": as_trl}
"""Every format, by its name on the command line."""

OF_PAIRS = frozenset({"trl"})
"""Formats of preference tasks alone."""
