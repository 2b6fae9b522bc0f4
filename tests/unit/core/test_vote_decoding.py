"""Votes from topic `votes`: what is read, and what can never be a vote."""

import json

import pytest

from daemon.core.decoding import Rejected
from daemon.core.outside import OutsideVote
from daemon.core.vote_decoding import decode_vote
from daemon.core.wire import Record
from labeling_functions.label_space import LabelSpace

ONE = LabelSpace(("ham", "spam"))
SETS = LabelSpace(("late", "broken", "refund"), sets=True)


def read(value: object, space: LabelSpace = ONE) -> OutsideVote | Rejected:
    raw = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return decode_vote(Record("votes", 0, 0, None, raw, 0), space)


def test_a_label_a_set_and_probabilities_are_read() -> None:
    assert read({"question": 3, "annotator": "ann", "label": "spam", "seconds": 2, "more": 1}) == OutsideVote(
        3, "ann", 1, 2.0
    )
    assert read({"question": 3, "annotator": "ann", "labels": ["refund", "late"]}, SETS) == OutsideVote(
        3, "ann", 0b101
    )
    likely = {"question": 3, "annotator": "ann", "probabilities": {"spam": 0.2, "ham": 0.8}, "external": "e"}
    assert read(likely) == OutsideVote(3, "ann", 0, 0.0, (0.8, 0.2), "kafka:e")
    of_sets = {"late": 0.9, "broken": 0.5, "refund": 0.6}
    assert read({"question": 3, "annotator": "ann", "probabilities": of_sets}, SETS) == OutsideVote(
        3, "ann", 0b101, 0.0, (0.9, 0.5, 0.6)
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"\xff{", "not_json"),
        (b"{", "not_json"),
        ({"annotator": "ann", "label": "ham"}, "wrong_shape"),
        ({"question": "3", "annotator": "ann", "label": "ham"}, "wrong_shape"),
        ({"question": 0, "annotator": "ann", "label": "ham"}, "wrong_shape"),
        ({"question": 2**63, "annotator": "ann", "label": "ham"}, "wrong_shape"),
        ({"question": 3, "annotator": " ann", "label": "ham"}, "wrong_shape"),
        ({"question": 3, "annotator": "a\x00b", "label": "ham"}, "wrong_shape"),
        ({"question": 3, "annotator": "ann", "label": "ham", "seconds": -1}, "wrong_shape"),
        ({"question": 3, "annotator": "ann"}, "bad_label"),
        ({"question": 3, "annotator": "ann", "label": "eggs"}, "bad_label"),
        ({"question": 3, "annotator": "ann", "labels": ["ham"]}, "bad_label"),
        ({"question": 3, "annotator": "ann", "probabilities": {"ham": 1.0}}, "bad_label"),
        ({"question": 3, "annotator": "ann", "probabilities": {"ham": 0.5, "spam": 0.1}}, "bad_label"),
        ({"question": 3, "annotator": "ann", "probabilities": {"ham": 1.5, "spam": -0.5}}, "bad_label"),
    ],
)
def test_what_can_never_be_a_vote_has_its_reason(value: object, reason: str) -> None:
    found = read(value)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert found.detail
