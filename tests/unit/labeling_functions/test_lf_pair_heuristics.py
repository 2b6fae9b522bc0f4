"""Ready-made functions about pairs: which response they vote for, and when they keep still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions import ABSTAIN, less_repetition, longer_response, no_refusal, same_words
from labeling_functions.applier import Applier
from labeling_functions.function import Function
from labeling_functions.heuristics import PAIR_HEURISTICS
from labeling_functions.items import Item
from labeling_functions.label_space import LabelSpace
from labeling_functions.pairs import TIE, A, B
from labeling_functions.task import PREFERENCE_CLASSES


def pair(a: str, b: str) -> Item:
    return Item("i", {"prompt": "p", "response_a": a, "response_b": b})


def vote(function: Function, a: str, b: str) -> int:
    return int(Applier([function], LabelSpace(PREFERENCE_CLASSES), 10.0).apply([pair(a, b)]).L[0, 0])


@pytest.mark.parametrize(
    ("make", "better", "worse"),
    [
        (longer_response, "one two three four five", "one two"),
        (less_repetition, "we go home now and then", "we go home we go home we go home"),
        (no_refusal, "Paris", "I’m sorry, but I cannot say"),
    ],
)
def test_the_better_response_is_voted_for_wherever_it_stands(
    make: type[Function], better: str, worse: str
) -> None:
    assert vote(make(), better, worse) == A
    assert vote(make(), worse, better) == B
    assert vote(make(), better, better) == ABSTAIN


def test_a_little_longer_is_not_longer() -> None:
    assert vote(longer_response(ratio=2.0), "a b c d e", "a b c") == ABSTAIN
    assert vote(longer_response(ratio=1.5), "a b c d e", "a b c") == A


def test_both_refusing_is_no_difference_and_other_patterns_may_be_given() -> None:
    assert vote(no_refusal(), "As an AI I will not.", "I can't help.") == ABSTAIN
    german = no_refusal(patterns=[r"ich kann nicht"])
    assert vote(german, "Ich kann nicht helfen.", "Paris") == B


def test_the_same_words_are_a_tie() -> None:
    assert vote(same_words(), "Red, of course!", "red of  course") == TIE
    assert vote(same_words(), "Red", "Blue") == ABSTAIN


@given(st.text(max_size=60), st.text(max_size=60))
def test_votes_turn_with_the_order(a: str, b: str) -> None:
    turned = {A: B, B: A, TIE: TIE, ABSTAIN: ABSTAIN}
    for make in PAIR_HEURISTICS.values():
        assert vote(make(), b, a) == turned[vote(make(), a, b)]


def test_an_item_that_is_no_pair_fails_alone() -> None:
    items = [pair("one two three", "one"), Item("text", {"text": "x"})]
    applied = Applier([longer_response()], LabelSpace(PREFERENCE_CLASSES), 10.0).apply(items)
    assert applied.L[:, 0].tolist() == [A, ABSTAIN]
    assert applied.failures == {"longer_response": 1}
    assert "response_a" in applied.messages["longer_response"]


@pytest.mark.parametrize(
    ("make", "arguments", "hint"),
    [
        (longer_response, {"ratio": 1.0}, "not above 1"),
        (less_repetition, {"least": 0.0}, "above 0"),
        (less_repetition, {"words": 0}, "at least 1"),
        (no_refusal, {"patterns": []}, "list of patterns"),
        (no_refusal, {"patterns": ["("]}, "patterns"),
    ],
)
def test_arguments_out_of_range_are_refused(
    make: type[Function], arguments: dict[str, object], hint: str
) -> None:
    with pytest.raises(ValueError, match=hint):
        make("mine", **arguments)  # type: ignore[call-overload]


def test_versions_follow_what_shapes_the_votes() -> None:
    assert longer_response().version == longer_response().version
    assert longer_response(ratio=2.0).version != longer_response().version
    assert less_repetition(words=2).version != less_repetition().version
    assert no_refusal(patterns=["no"]).version != no_refusal().version
