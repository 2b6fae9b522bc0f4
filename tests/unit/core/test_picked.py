"""What the learner picked is asked about, unless somebody answers it anyway."""

from dataclasses import replace

import numpy as np
import pytest
from test_decide import POLICY, decide, stored
from test_subjects import evidence, item

from daemon.core.policy import LEARN_PRIORITY
from daemon.core.rows import Answer, OpenItem, Wanted
from daemon.core.states import AnnotatorKind, ItemState, Purpose, QuestionState

PICK = replace(item("a", 1, subject=None), picked=True)
YES = np.array([True])


def wanted(purpose: Purpose, state: QuestionState = QuestionState.OPEN) -> tuple[Wanted, ...]:
    return (Wanted(1, "expert", purpose, state, None),)


def answered(kind: AnnotatorKind) -> tuple[Answer, ...]:
    return (Answer(1, "somebody", kind, "crowd", Purpose.SETTLE, 1, 5),)


def is_picked(*items: OpenItem) -> bool:
    found = evidence(*items).picked
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize("state", ItemState)
def test_only_open_items_are_asked_about(state: ItemState) -> None:
    assert is_picked(replace(PICK, state=state)) == (state in (ItemState.ASKING, ItemState.READY))
    assert not is_picked(replace(PICK, state=state, picked=False))


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose != Purpose.CONTROL])
def test_a_question_that_brings_an_answer_is_enough(purpose: Purpose) -> None:
    settles = purpose in (Purpose.SETTLE, Purpose.ADJUDICATE)
    assert is_picked(replace(PICK, wanted=wanted(purpose))) == settles
    assert not is_picked(replace(PICK, wanted=wanted(purpose, QuestionState.LEASED)))


def test_a_persons_answer_is_enough_that_of_a_machine_is_not() -> None:
    assert not is_picked(replace(PICK, answers=answered(AnnotatorKind.PERSON)))
    assert is_picked(replace(PICK, answers=answered(AnnotatorKind.LLM)))
    sibling = item("b", 1, "deer", answered(AnnotatorKind.PERSON))
    assert not is_picked(replace(PICK, subject="deer"), sibling)


@pytest.mark.parametrize(("spam", "state"), [(0.99, ItemState.READY), (0.6, ItemState.ASKING)])
def test_a_pick_is_asked_of_the_final_tier_in_place_of_all_others(spam: float, state: ItemState) -> None:
    decision = decide(stored(spam, state, picked=YES), POLICY, 1)
    assert decision.states == [ItemState.ASKING]
    assert [(ask.tier, ask.purpose, ask.priority) for ask in decision.asks] == [
        ("expert", Purpose.LEARN, LEARN_PRIORITY)
    ]
    assert decision.withdraw.tolist() == [True]
    assert not decision.publish.any()


def test_nothing_is_asked_about_what_an_expert_has_told() -> None:
    decision = decide(stored(0.99, picked=YES, final=np.array([1])), POLICY, 1)
    assert decision.states == [ItemState.HUMAN]
    assert list(decision.asks) == []
