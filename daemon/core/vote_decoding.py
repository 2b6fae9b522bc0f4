"""From a record of topic `votes` to a vote, or to the reason why it can never be one."""

import math
from typing import Annotated

import msgspec

from daemon.core.decoding import Rejected, read_json
from daemon.core.outside import OutsideVote
from daemon.core.wire import Record
from labeling_functions.label_space import LabelSpace, set_of

MAX_NAME = 100
"""Characters of an annotator's name, as on the pages."""

MAX_EXTERNAL = 200

OFF = 0.01
"""Probabilities of one class an item may sum to 1 give or take this."""

HALF = 0.5


class VoteMessage(msgspec.Struct, frozen=True):
    """The JSON of topic `votes`. Keys that are not named here are ignored."""

    question: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    annotator: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    label: str | None = None
    labels: list[str] | None = None
    probabilities: dict[str, float] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    external: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_EXTERNAL)] | None = None


_decoder = msgspec.json.Decoder(VoteMessage)


def decode_vote(record: Record, space: LabelSpace) -> OutsideVote | Rejected:
    """Check one record and read its vote."""
    if record.value is None:
        return Rejected(record, "empty", "the message has no value; a vote is JSON with question and label")
    message = read_json(record, record.value, _decoder)
    if isinstance(message, Rejected):
        return message
    if not _is_name(message.annotator):
        return Rejected(
            record, "wrong_shape", "`annotator` is no name: letters that can be printed, no spaces around"
        )
    if message.external is not None and not message.external.isprintable():
        return Rejected(record, "wrong_shape", "`external` holds a character that cannot be printed")
    try:
        return vote_of(message, space)
    except ValueError as error:
        return Rejected(record, "bad_label", str(error))


def vote_of(message: VoteMessage, space: LabelSpace) -> OutsideVote:
    """The vote that a message says. Raises ValueError where it names no label of the task."""
    said = message.labels if space.sets else message.label
    other = message.label if space.sets else message.labels
    if other is not None:
        raise ValueError("a task with one class an item takes `label`, one with any number `labels`")
    likely = None if message.probabilities is None else _likely(message.probabilities, space)
    if said is None and likely is None:
        raise ValueError(f"`{'labels' if space.sets else 'label'}` or `probabilities` is wanted")
    label = space.label_of(said) if said is not None else _likeliest(likely or (), space)
    external = None if message.external is None else f"kafka:{message.external}"
    return OutsideVote(message.question, message.annotator, label, message.seconds, likely, external)


def _is_name(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _likely(said: dict[str, float], space: LabelSpace) -> tuple[float, ...]:
    """In the order of the classes; where one class applies they are made to sum to 1."""
    _check_names(said, space)
    likely = tuple(said[name] for name in space.classes)
    if not all(0 <= p <= 1 for p in likely):
        raise ValueError("probabilities: each is between 0 and 1")
    if space.sets:
        return likely
    total = math.fsum(likely)
    if abs(total - 1) > OFF:
        raise ValueError(f"probabilities: they sum to {total:.4g} instead of 1")
    return tuple(p / total for p in likely)


def _check_names(said: dict[str, float], space: LabelSpace) -> None:
    if unknown := [name for name in said if name not in space.classes]:
        known = ", ".join(space.classes)
        raise ValueError(f"probabilities: {unknown[0]!r} is not a class of this task: {known}")
    if missing := [name for name in space.classes if name not in said]:
        raise ValueError(f"probabilities: {missing[0]!r} is missing; every class has one")


def _likeliest(likely: tuple[float, ...], space: LabelSpace) -> int:
    if space.sets:
        return set_of([place for place, p in enumerate(likely) if p > HALF])
    return max(range(len(likely)), key=likely.__getitem__)
