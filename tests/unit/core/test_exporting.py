"""Formats of exported labels."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.exporting import ExportedAnswer, LabeledItem, LeftOut, Provenance, Wish, as_jsonl, as_trl
from daemon.core.states import LabelStatus
from labeling_functions.pairs import TIE, A, B
from labeling_functions.task import MULTILABEL, PREFERENCE, PREFERENCE_CLASSES, Task

TASK = Task("t", PREFERENCE_CLASSES, PREFERENCE)
PAYLOAD = json.dumps(
    {"id": "x", "fields": {"prompt": "p", "response_a": "first", "response_b": "second"}}
).encode()


def labeled(label: int, *probabilities: float) -> LabeledItem:
    return LabeledItem("x", PAYLOAD, label, probabilities, LabelStatus.HUMAN, 3)


def wish(least: float = 0.5, soft: bool = False) -> Wish:
    return Wish(TASK, (LabelStatus.HUMAN,), least, soft)


def test_the_preferred_response_is_chosen() -> None:
    made = as_trl(labeled(A, 0.7, 0.2, 0.1), wish())
    assert made == {"prompt": "p", "chosen": "first", "rejected": "second"}
    assert as_trl(labeled(B, 0.1, 0.8, 0.1), wish(soft=True)) == {
        "prompt": "p",
        "chosen": "second",
        "rejected": "first",
        "chosen_probability": 0.85,
    }


def test_ties_and_doubtful_preferences_are_left_out() -> None:
    assert as_trl(labeled(TIE, 0.1, 0.1, 0.8), wish()) == LeftOut("ties")
    assert as_trl(labeled(A, 0.6, 0.3, 0.1), wish(0.7)) == LeftOut("below a preference of 0.7")
    assert isinstance(as_trl(labeled(A, 0.6, 0.1, 0.3), wish(0.7)), dict)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_chosen_response_is_never_the_less_likely_one(a: float, share: float) -> None:
    b = (1 - a) * share
    label = A if a > b else B
    made = as_trl(labeled(label, a, b, 1 - a - b), wish(soft=True))
    assert isinstance(made, dict) and float(str(made["chosen_probability"])) >= 0.5 - 1e-6


def test_items_of_any_kind_go_out_with_their_label() -> None:
    task = Task("mail", ("ham", "spam"))
    given = ExportedAnswer("ann", "person", "crowd", "crowd", "audit", 0, 2.5, 50_000, 2_000)
    origin = Provenance(1_000, 7, 60_000, {"alpha": 0.05}, [given], [("prize", [1]), ("hello", [-1])])
    payload = b'{"id": "i", "text": "win"}'
    item = LabeledItem("i", payload, 1, (0.1, 0.9), LabelStatus.CERTIFIED, 2, origin)
    made = as_jsonl(item, Wish(task, (LabelStatus.CERTIFIED,)))
    assert json.loads(msgspec.json.encode(made)) == {
        "item": "i",
        "label": "spam",
        "probabilities": {"ham": 0.1, "spam": 0.9},
        "status": "certified",
        "revision": 2,
        "at": "1970-01-01T00:00:01+00:00",
        "certificate": {"alpha": 0.05},
        "bundle": 7,
        "cost": 0.06,
        "answers": [
            {
                "annotator": "ann",
                "kind": "person",
                "tier": "crowd",
                "purpose": "audit",
                "label": "ham",
                "seconds": 2.5,
                "cost": 0.05,
                "at": "1970-01-01T00:00:02+00:00",
            }
        ],
        "votes": {"prize": "spam"},
        "content": {"id": "i", "text": "win"},
    }


@pytest.mark.parametrize(("label", "names"), [(0b101, ["billing", "praise"]), (0, [])])
def test_sets_go_out_as_lists_of_names(label: int, names: list[str]) -> None:
    task = Task("topics", ("billing", "delivery", "praise"), MULTILABEL)
    item = LabeledItem("i", b"{}", label, (0.1, 0.9, 0.8, 0.2, 0.5, 0.5), LabelStatus.HUMAN, 1)
    made = as_jsonl(item, Wish(task, (LabelStatus.HUMAN,)))
    assert isinstance(made, dict) and made["label"] == names
    assert made["probabilities"] == {"billing": 0.9, "delivery": 0.2, "praise": 0.5}


def test_pairs_have_their_preference_too() -> None:
    made = as_jsonl(labeled(TIE, 0.2, 0.2, 0.6), wish())
    assert isinstance(made, dict) and made["preference"] == pytest.approx(0.5)
    assert as_jsonl(labeled(TIE, 0.2, 0.2, 0.6), wish(0.6)) == LeftOut("below a preference of 0.6")
