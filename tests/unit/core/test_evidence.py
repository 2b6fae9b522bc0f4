"""What experts say together, and which open questions touch a stored item."""

from collections.abc import Sequence

import numpy as np
import pytest

from daemon.core.evidence import final_label, of_stored
from daemon.core.rows import Answer, OpenItem, Wanted
from daemon.core.states import AnnotatorKind, ItemState, Purpose, QuestionState
from models.bundle import Bundle

FINAL = frozenset({"expert", "professor"})


def said(*labels: int, tier: str = "expert") -> list[Answer]:
    return [
        Answer(place, f"e{place}", AnnotatorKind.PERSON, tier, Purpose.AUDIT, label, at=place)
        for place, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("answers", "label"),
    [
        ([], -1),
        (said(1), 1),
        (said(0, 1), 1),
        (said(0, 0, 1), 0),
        (said(1, 0, 0), 0),
        (said(0, 1, 2), 2),
        (said(1, 1, tier="crowd"), -1),
        ([*said(0), *said(1, 1, tier="crowd")], 0),
        (list(reversed(said(0, 1))), 1),
    ],
)
def test_the_majority_of_final_answers_and_of_equals_the_latest(answers: list[Answer], label: int) -> None:
    assert final_label(answers, FINAL) == label


def certified(wanted: Sequence[Wanted]) -> OpenItem:
    return OpenItem(
        id="a",
        state=ItemState.CERTIFIED,
        functions=1,
        inline=np.array([1, -1], np.int8),
        posterior=np.array([0.1, 0.9], np.float32),
        labels=np.array([1], np.int8),
        score=0.9,
        revision=2,
        sent_back=0,
        window=None,
        bundle=None,
        cost=0,
        wanted=wanted,
    )


@pytest.mark.parametrize("purpose", [Purpose.OUTGOING, Purpose.SETTLE])
def test_an_audit_of_a_released_label_neither_holds_nor_settles_it(purpose: Purpose) -> None:
    wanted = Wanted(1, "expert", purpose, QuestionState.LEASED, 7)
    bundle = Bundle.from_priors(("ham", "spam"), {"expert": 0.98})
    evidence = of_stored(
        [certified([wanted])], lambda _: ["function:f@1", "function:g@1"], bundle, ("expert",), FINAL
    )
    touched = purpose == Purpose.SETTLE
    assert evidence.held.tolist() == [touched]
    assert evidence.wanted.tolist() == [[int(touched)]]
    assert evidence.drawn.tolist() == [False]
