"""The JSON that goes out, as its readers find it."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.core.decoding import Rejected
from daemon.core.messages import HASHED_BYTES, KEPT_BYTES, Certificate, Voter, composer, dead_letter
from daemon.core.policy import Outputs, Policy
from daemon.core.rows import Answer, Ask, Asked, Decision
from daemon.core.settings import GuaranteeSettings, RoutingSettings
from daemon.core.states import AnnotatorKind, ItemState, LabelStatus, Purpose
from daemon.core.wire import Record

OUTPUTS = Outputs("labels", "questions", "dead", lambda topic, keys: [len(key) % 3 for key in keys])

POLICY = Policy(("ham", "spam"), {}, GuaranteeSettings(), RoutingSettings())


def decided(n: int = 2) -> Decision:
    return Decision(
        posterior=np.tile(np.array([[0.25, 0.75]], np.float32), (n, 1)),
        labels=np.ones((n, 1), np.int8),
        scores=np.full(n, 0.75, np.float32),
        classifier=np.tile(np.array([[0.1, 0.9]], np.float32), (n, 1)),
        bundle=4,
        states=[ItemState.READY] * n,
        publish=np.arange(n) == 0,
        status=[LabelStatus.PROVISIONAL] * n,
        withdraw=np.zeros(n, np.bool_),
    )


def voter(row: int) -> Voter:
    answer = Answer(1, "ann", AnnotatorKind.PERSON, "crowd", Purpose.SETTLE, 0, 1)
    return Voter(f"item-{row}", b'{"id": 1}', 2, ("a", "b"), (1, -1), (answer,), 50_000)


def test_a_label_tells_what_it_rests_on() -> None:
    (message,) = composer(decided(), voter, POLICY, OUTPUTS)([])
    assert (message.topic, message.partition, message.key) == ("labels", 0, b"item-0")
    assert json.loads(message.value) == {
        "item": "item-0",
        "revision": 3,
        "label": "spam",
        "probabilities": {"ham": 0.25, "spam": 0.75},
        "status": "provisional",
        "certificate": None,
        "bundle": 4,
        "votes": [
            {"annotator": "a", "label": "spam"},
            {"annotator": "classifier", "label": "spam", "p": 0.9},
            {"annotator": "tier:crowd", "label": "ham"},
        ],
        "cost": 0.05,
    }


def test_labels_that_differ_in_one_thing_alone_share_nothing_of_it() -> None:
    """What many items have in common is written once: each must come out as if it was the only one."""
    said = Answer(1, "ann", AnnotatorKind.PERSON, "crowd", Purpose.SETTLE, 0, 1)
    voters = [
        Voter("same", b"{}", 0, ("a", "b"), (1, -1)),
        Voter("same", b"{}", 1, ("a", "b"), (1, -1)),
        Voter("same", b"{}", 0, ("a", "c"), (1, 1)),
        Voter("same", b"{}", 0, ("a", "b"), (1, 1)),
        Voter("same", b"{}", 0, ("a", "b"), (1, -1), (said,)),
        Voter("same", b"{}", 0, ("a", "b"), (1, -1), (), 50_000),
        Voter("same", b"{}", 0, ("a", "b"), (1, -1), (), 0, 9),
        *[Voter("same", b"{}", 0, ("a", "b"), (1, -1))] * 6,
    ]
    n = len(voters)
    decision = replace(decided(n), publish=np.ones(n, np.bool_), window=3)
    decision.labels[7] = 0
    decision.posterior[8] = 0.5
    decision.status[9] = LabelStatus.HUMAN  # type: ignore[index]
    assert decision.classifier is not None
    decision.classifier[10], decision.classifier[11] = np.nan, 0.5
    certificates = {12: Certificate(0.05, 0.1, 3, 0.9, "single")}

    def composed(rows: NDArray[np.bool_]) -> list[bytes]:
        told = replace(decision, publish=rows)
        return [
            message.value for message in composer(told, voters.__getitem__, POLICY, OUTPUTS, certificates)([])
        ]

    together = composed(np.ones(n, np.bool_))
    assert together == [composed(np.arange(n) == row)[0] for row in range(n)]
    assert len(set(together)) == n


def test_a_set_is_told_as_a_list_of_names() -> None:
    policy = Policy(
        ("billing", "delivery", "praise"), {}, GuaranteeSettings(), RoutingSettings(), kind="multilabel"
    )
    decision = replace(
        decided(),
        posterior=np.tile(np.array([[0.25, 0.75, 0.5, 0.5, 1.0, 0.0]], np.float32), (2, 1)),
        labels=np.array([[1, 1, 0]] * 2, np.int8),
        classifier=np.tile(np.array([[0.5, 0.5, 0.75, 0.25, 0.25, 0.75]], np.float32), (2, 1)),
    )
    said = [
        Answer(1, "ann", AnnotatorKind.PERSON, "crowd", Purpose.SETTLE, 0, 1),
        Answer(
            2, "small", AnnotatorKind.LLM, "llm", Purpose.SETTLE, 0b101, 1, "v", 0.6, by_class=(0.9, 0.4, 0.8)
        ),
    ]
    functions, inline = ("hints", "only", "silent"), (1, -1, -1, 0, 1, 0, -1, -1, -1)
    told = Voter("item", b"{}", 2, functions, inline, said)
    (message,) = composer(decision, lambda row: told, policy, OUTPUTS)([])
    value = json.loads(message.value)
    assert value["label"] == ["billing", "delivery"]
    assert value["probabilities"] == {"billing": 0.75, "delivery": 0.5, "praise": 0.0}
    assert value["votes"] == [
        {"annotator": "hints", "label": ["billing"]},
        {"annotator": "only", "label": ["delivery"], "not": ["billing", "praise"]},
        {"annotator": "classifier", "label": ["praise"], "p": 0.2812},
        {"annotator": "tier:crowd", "label": []},
        {"annotator": "llm:small", "label": ["billing", "praise"], "p": 0.6},
    ]


def test_a_label_of_a_pair_tells_how_likely_the_first_is_preferred() -> None:
    policy = Policy(("A", "B", "tie"), {}, GuaranteeSettings(), RoutingSettings(), kind="preference")
    decision = replace(decided(), posterior=np.array([[0.5, 0.3, 0.2]] * 2, np.float32), classifier=None)
    (message,) = composer(decision, voter, policy, OUTPUTS)([])
    assert json.loads(message.value)["preference"] == pytest.approx(0.6)


@pytest.mark.parametrize(("names", "mean"), [(("0", "5", "10"), 3.5), (("bad", "fair", "good"), 1.7)])
def test_a_label_of_a_rating_tells_the_mean_of_its_scale(names: tuple[str, ...], mean: float) -> None:
    policy = Policy(names, {}, GuaranteeSettings(), RoutingSettings(), kind="rating")
    decision = replace(decided(), posterior=np.array([[0.5, 0.3, 0.2]] * 2, np.float32), classifier=None)
    (message,) = composer(decision, voter, policy, OUTPUTS)([])
    assert json.loads(message.value)["rating"] == pytest.approx(mean)


def test_a_question_carries_the_item_and_no_opinion() -> None:
    ask = Ask(1, "expert", Purpose.GOLD, 10.0, 600_000)
    messages = composer(decided(), voter, POLICY, OUTPUTS)([Asked(77, ask)])
    assert json.loads(messages[1].value) == {
        "question": 77,
        "item": "item-1",
        "tier": "expert",
        "blind": True,
        "price": 0.6,
        "content": {"id": 1},
    }


def test_a_dead_letter_is_the_message_as_it_came_with_the_reason() -> None:
    record = Record("items", 5, 99, b"key", b"\xff rubbish", 1_700_000_000_000)
    letter = dead_letter(Rejected(record, "not_utf8", "byte 0"), OUTPUTS)
    assert (letter.topic, letter.partition, letter.key, letter.value) == ("dead", 0, b"key", b"\xff rubbish")
    assert dict(letter.headers) == {
        "reason": b"not_utf8",
        "detail": b"byte 0",
        "topic": b"items",
        "partition": b"5",
        "offset": b"99",
        "time": b"2023-11-14T22:13:20+00:00",
    }


def test_an_oversized_dead_letter_is_cut_but_known_by_its_digest() -> None:
    value = b"x" * (KEPT_BYTES + 1)
    letter = dead_letter(Rejected(Record("items", 0, 1, None, value, -1), "too_large", "big"), OUTPUTS)
    headers = dict(letter.headers)
    assert len(letter.value) == KEPT_BYTES
    assert headers["sha256"].decode() == hashlib.sha256(value).hexdigest()
    assert headers["bytes"] == str(len(value)).encode()
    assert letter.key is None


def test_however_long_its_key_a_dead_letter_is_sent_by_its_beginning() -> None:
    record = Record("items", 0, 1, b"k" * (HASHED_BYTES + 2), b"rubbish", 0)
    letter = dead_letter(Rejected(record, "not_json", "no"), OUTPUTS)
    assert letter.key == record.key
    assert letter.partition == HASHED_BYTES % 3


def test_a_tombstone_can_be_a_dead_letter() -> None:
    letter = dead_letter(Rejected(Record("items", 0, 1, None, None, 0), "empty", "no value"), OUTPUTS)
    assert letter.value == b""


def test_a_decision_that_publishes_nothing_writes_nothing() -> None:
    silent = replace(decided(), publish=np.zeros(2, np.bool_))
    assert composer(silent, voter, POLICY, OUTPUTS)([]) == []


def test_an_item_without_a_vector_has_no_vote_of_the_classifier() -> None:
    unseen = replace(decided(), classifier=np.full((2, 2), np.nan, np.float32))
    (message,) = composer(unseen, voter, POLICY, OUTPUTS)([])
    heard = [vote["annotator"] for vote in json.loads(message.value)["votes"]]
    assert heard == ["a", "tier:crowd"]
