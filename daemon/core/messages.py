"""The JSON that goes out: labels, questions and dead letters."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from daemon.core.decoding import Rejected
from daemon.core.policy import Outputs, Policy
from daemon.core.rows import F4, I1, Answer, Ask, Asked, Compose, ComposeAudits, Decision, Lease
from daemon.core.settings import MICROS
from daemon.core.states import BLIND_PURPOSES, AnnotatorKind, LabelStatus
from daemon.core.wire import OutMessage
from labeling_functions.label_space import LabelSpace, joined
from labeling_functions.pairs import preference
from labeling_functions.task import ABSTAIN, PREFERENCE, RATING

_encode = msgspec.json.Encoder().encode

LAST_TIME = 253_402_300_799_000
"""The last second of the year 9999, in milliseconds."""

KEPT_BYTES = 262_144
"""Longer values of dead letters are cut (a header then holds the digest of the whole), longer items are not
repeated in questions."""

HASHED_BYTES = 1_024
"""Of a dead letter's key, which may be of any length: so much of it says which partition it goes to."""


class Voter(msgspec.Struct, frozen=True):
    """What a label message tells about one item besides the decision; columns are joined lazily."""

    item: str
    payload: bytes
    revision: int
    functions: Sequence[str]
    inline: Sequence[int]
    answers: Sequence[Answer] = ()
    cost: int = 0
    bundle: int | None = None
    """The bundle that decided before; told where a window releases labels without deciding them again."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certified label was released under."""

    alpha: float
    delta: float
    window: int
    threshold: float
    protocol: str

    def as_json(self) -> dict[str, object]:
        """The form that readers of topic `labels` see."""
        return {
            "alpha": self.alpha,
            "delta": self.delta,
            "window": self.window,
            "threshold": round(self.threshold, 6),
            "protocol": self.protocol,
        }


def composer(
    decision: Decision,
    voter: Callable[[int], Voter],
    policy: Policy,
    outputs: Outputs,
    certificates: Mapping[int, Certificate] | None = None,
    dead: Sequence[OutMessage] = (),
) -> Compose:
    """A function that writes all messages of a decision once the store knows which questions it made.

    Args:
        decision: columns of n items.
        voter: row -> what is told about the item; called for rows with messages only.
        certificates: row -> certificate, for labels released by a window.
        dead: dead letters of the same batch.
    """

    def compose(asked: Sequence[Asked]) -> list[OutMessage]:
        labels = _labels(decision, voter, policy, outputs, certificates or {})
        about = [(one, voter(one.ask.row)) for one in asked]
        made = [_Question(one.question, one.ask, to.item, to.payload) for one, to in about]
        return [*labels, *_questions(made, outputs), *dead]

    return compose


def audit_composer(outputs: Outputs) -> ComposeAudits:
    """A function that tells outside queues of a window's audits."""
    return lambda made: _questions(
        [_Question(one.question, one.ask, one.item, one.payload) for one in made], outputs
    )


def held_question(lease: Lease, price: int, outputs: Outputs) -> OutMessage:
    """Tells whoever answers elsewhere of a question that is held for them.

    Args:
        lease: what is held. price: of the answer, in millionths.
    """
    told = _told(lease.question, lease.item, lease.tier, lease.blind, price, lease.payload)
    value = _encode(told | {"until": _iso(lease.until)})
    return _keyed(outputs.questions, [lease.item], [value], outputs)[0]


def dead_letter(rejected: Rejected, outputs: Outputs) -> OutMessage:
    """The raw message with the reason in its headers."""
    record = rejected.record
    value = record.value or b""
    headers = [
        ("reason", rejected.reason.encode()),
        ("detail", rejected.detail.encode(errors="replace")[:1_024]),
        ("topic", record.topic.encode()),
        ("partition", str(record.partition).encode()),
        ("offset", str(record.offset).encode()),
        ("time", _iso(record.timestamp).encode()),
    ]
    if len(value) > KEPT_BYTES:
        headers.append(("sha256", hashlib.sha256(value).hexdigest().encode()))
        headers.append(("bytes", str(len(value)).encode()))
    key = None if record.key is None else record.key[:KEPT_BYTES]
    (partition,) = outputs.partitions(outputs.dead_letters, [(key or b"")[:HASHED_BYTES]])
    return OutMessage(outputs.dead_letters, partition, key, value[:KEPT_BYTES], tuple(headers))


def _iso(milliseconds: int) -> str:
    """The nearest time that a calendar knows: producers may stamp their records as they like."""
    return datetime.fromtimestamp(min(max(milliseconds, 0), LAST_TIME) / 1_000, UTC).isoformat()


class _Told(NamedTuple):
    """What a label message tells besides the item. Many items of a batch share one: it is written once."""

    revision: int
    label: int
    posterior: tuple[float, ...]
    status: LabelStatus
    certificate: Certificate | None
    bundle: int | None
    functions: tuple[str, ...]
    inline: tuple[int, ...]
    classifier: tuple[int, float] | None
    """Its label, and how sure it is."""
    answers: tuple[Answer, ...]
    cost: int


def _labels(
    decision: Decision,
    voter: Callable[[int], Voter],
    policy: Policy,
    outputs: Outputs,
    certificates: Mapping[int, Certificate],
) -> list[OutMessage]:
    rows = np.flatnonzero(decision.publish)
    voters = [voter(row) for row in rows.tolist()]
    decided = zip(
        rows.tolist(),
        joined(decision.labels[rows]).tolist(),
        decision.posterior[rows].tolist(),
        _classifier_said(decision.classifier, rows, policy.space),
        voters,
        strict=True,
    )
    written = cache(partial(_written, policy, policy.space))
    values = [
        b'{"item":%b,%b'
        % (
            _encode(about.item),
            written(
                _Told(
                    about.revision + 1,
                    label,
                    tuple(posterior),
                    decision.status[row],
                    certificates.get(row),
                    decision.bundle if decision.window is None else about.bundle,
                    tuple(about.functions),
                    tuple(about.inline),
                    classifier,
                    tuple(about.answers),
                    about.cost,
                )
            ),
        )
        for row, label, posterior, classifier, about in decided
    ]
    return _keyed(outputs.labels, [about.item for about in voters], values, outputs)


def _written(policy: Policy, space: LabelSpace, told: _Told) -> bytes:
    """The JSON of a label message after its first key and comma, its end included."""
    by_class = zip(space.classes, space.by_class(told.posterior), strict=True)
    value = {
        "revision": told.revision,
        "label": space.said(told.label),
        "probabilities": {name: round(p, 6) for name, p in by_class},
        **_of_kind(policy, told.posterior),
        "status": told.status,
        "certificate": None if told.certificate is None else told.certificate.as_json(),
        "bundle": told.bundle,
        "votes": _votes(told, space),
        "cost": told.cost / MICROS,
    }
    return _encode(value)[1:]


def _of_kind(policy: Policy, posterior: Sequence[float]) -> dict[str, float]:
    """Of pairs, how likely A is preferred, a tie counting half; of ratings, the mean of the scale."""
    if policy.kind == PREFERENCE:
        return {"preference": round(preference(posterior), 6)}
    if policy.kind == RATING:
        return {"rating": round(float(np.dot(posterior, policy.steps)), 6)}
    return {}


def _classifier_said(
    proba: F4 | None, rows: NDArray[np.int64], space: LabelSpace
) -> list[tuple[int, float] | None]:
    """The classifier's label of each of these rows of (n, F * K) probabilities, and how sure it is; None
    where there is none.
    """
    if proba is None:
        return [None] * len(rows)
    by_facet = proba[rows].reshape(len(rows), space.n_facets, len(space.options))
    spoke = ~np.isnan(by_facet[:, 0, 0])
    labels, sure = joined(by_facet.argmax(axis=2)), by_facet.max(axis=2).prod(axis=1)
    said = zip(spoke.tolist(), labels.tolist(), sure.tolist(), strict=True)
    return [(label, p) if spoken else None for spoken, label, p in said]


def _votes(told: _Told, space: LabelSpace) -> list[dict[str, object]]:
    votes = _of_sets(told, space) if space.sets else _of_classes(told, space)
    if told.classifier is not None:
        label, sure = told.classifier
        votes.append({"annotator": "classifier", "label": space.said(label), "p": round(sure, 4)})
    return votes + [_answer(answer, space) for answer in told.answers]


def _of_classes(told: _Told, space: LabelSpace) -> list[dict[str, object]]:
    return [
        {"annotator": name, "label": space.classes[vote]}
        for name, vote in zip(told.functions, told.inline, strict=True)
        if vote != ABSTAIN
    ]


def _of_sets(told: _Told, space: LabelSpace) -> list[dict[str, object]]:
    said = np.array(told.inline, np.int8).reshape(len(told.functions), space.n_facets)
    return [
        {"annotator": name, **_said(options, space)}
        for name, options in zip(told.functions, said, strict=True)
        if (options != ABSTAIN).any()
    ]


def _said(options: I1, space: LabelSpace) -> dict[str, object]:
    """The classes that a function says apply, and those that it says do not."""
    apply, do_not = space.sides(options.tolist())
    return {"label": apply, "not": do_not} if do_not else {"label": apply}


def _answer(answer: Answer, space: LabelSpace) -> dict[str, object]:
    """People are one a tier, language models by name and with how sure they say they are."""
    who = f"llm:{answer.name}" if answer.kind == AnnotatorKind.LLM else f"tier:{answer.tier}"
    told = {} if answer.confidence is None else {"p": round(answer.confidence, 4)}
    return {"annotator": who, "label": space.said(answer.label), **told}


class _Question(NamedTuple):
    """A question that was made, and what it is about."""

    id: int
    ask: Ask
    item: str
    payload: bytes


def _questions(made: Sequence[_Question], outputs: Outputs) -> list[OutMessage]:
    told = [one for one in made if one.ask.tier not in outputs.when_held]
    values = [
        _encode(_told(id_, item, ask.tier, ask.purpose in BLIND_PURPOSES, ask.price, payload))
        for id_, ask, item, payload in told
    ]
    return _keyed(outputs.questions, [one.item for one in told], values, outputs)


def _told(question: int, item: str, tier: str, blind: bool, price: int, payload: bytes) -> dict[str, object]:
    return {
        "question": question,
        "item": item,
        "tier": tier,
        "blind": blind,
        "price": price / MICROS,
        "content": msgspec.Raw(payload) if len(payload) <= KEPT_BYTES else None,
    }


def _keyed(topic: str, items: Sequence[str], values: Sequence[bytes], outputs: Outputs) -> list[OutMessage]:
    """Messages by item: all of one item go to one partition."""
    keys = [item.encode() for item in items]
    places = outputs.partitions(topic, keys)
    return [OutMessage(topic, *one) for one in zip(places, keys, values, strict=True)]
