"""What is exported of labeled items: one function a format, each pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from daemon.core.decoding import decode_stored
from daemon.core.settings import MICROS
from daemon.core.states import AnnotatorKind, LabelStatus
from labeling_functions.label_space import LabelSpace
from labeling_functions.pairs import TIE, A, pair_of, preference
from labeling_functions.task import ABSTAIN, PREFERENCE, Task


@dataclass(frozen=True, slots=True)
class ExportedAnswer:
    """A standing answer.

    Attributes:
        annotator: its name. kind: person or llm. version: of how a language model is asked.
        label: as `labeling_functions.label_space` has labels. cost: micro-units. at: ms.
    """

    annotator: str
    kind: str
    version: str
    tier: str | None
    purpose: str
    label: int
    seconds: float
    cost: int
    at: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a label rests on.

    Attributes:
        at: when it was published, ms. bundle: that decided, None for the built-in priors.
        cost: micro-units spent on the item until then.
        certificate: what it was released under, None if no window released it.
        answers: standing ones. votes: name of each function -> (F,) options, ABSTAIN = -1.
    """

    at: int = 0
    bundle: int | None = None
    cost: int = 0
    certificate: Mapping[str, object] | None = None
    answers: Sequence[ExportedAnswer] = ()
    votes: Sequence[tuple[str, Sequence[int]]] = ()


@dataclass(frozen=True, slots=True)
class LabeledItem:
    """An item with its current published label.

    Attributes:
        id, payload: the item as it came.
        label: as `labeling_functions.label_space` has labels. probabilities: (F*K,).
        status: what the label rests on. revision: how often it was published.
        origin: where it comes from.
    """

    id: str
    payload: bytes
    label: int
    probabilities: tuple[float, ...]
    status: LabelStatus
    revision: int
    origin: Provenance = Provenance()


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
    """The item as it came, with its label and all that it rests on."""
    space, origin = wish.task.space, item.origin
    by_class = space.by_class(item.probabilities)
    row: dict[str, object] = {
        "item": item.id,
        "label": space.said(item.label),
        "probabilities": {name: round(p, 6) for name, p in zip(space.classes, by_class, strict=True)},
        "status": item.status.value,
        "revision": item.revision,
        "at": _moment(origin.at),
        "certificate": origin.certificate,
        "bundle": origin.bundle,
        "cost": origin.cost / MICROS,
        "answers": [_answer(one, space) for one in origin.answers],
        "votes": {
            name: said for name, options in origin.votes if (said := _said(options, space)) is not None
        },
        "content": msgspec.Raw(item.payload),
    }
    if wish.task.kind == PREFERENCE:
        likely = preference(item.probabilities)
        if max(likely, 1 - likely) < wish.least:
            return LeftOut(f"below a preference of {wish.least:g}")
        row["preference"] = round(likely, 6)
    return row


def _answer(answer: ExportedAnswer, space: LabelSpace) -> dict[str, object]:
    version = {"version": answer.version} if answer.kind == AnnotatorKind.LLM else {}
    return {
        "annotator": answer.annotator,
        "kind": answer.kind,
        **version,
        "tier": answer.tier,
        "purpose": answer.purpose,
        "label": space.said(answer.label),
        "seconds": round(answer.seconds, 3),
        "cost": answer.cost / MICROS,
        "at": _moment(answer.at),
    }


def _said(options: Sequence[int], space: LabelSpace) -> object:
    """A function's vote as topic `labels` tells it; None for an abstention."""
    if not space.sets:
        return None if options[0] == ABSTAIN else space.classes[options[0]]
    apply, do_not = space.sides(options)
    return {"apply": apply, "not": do_not} if apply or do_not else None


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).isoformat()


FORMATS: Mapping[str, Callable[[LabeledItem, Wish], Exported]] = {"jsonl": as_jsonl, "trl": as_trl}
"""Every format, by its name on the command line."""

OF_PAIRS = frozenset({"trl"})
"""Formats of preference tasks alone."""
