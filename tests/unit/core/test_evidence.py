"""What experts say together, and which open questions touch a stored item."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from daemon.core.evidence import final_label, of_arrivals, of_stored
from daemon.core.grouping import group_of, groups_of_stored
from daemon.core.rows import Answer, OpenItem, Wanted
from daemon.core.states import AnnotatorKind, ItemState, Purpose, QuestionState
from labeling_functions.items import Item
from models.bundle import Bundle
from models.classifier import LinearHead

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
        [certified([wanted])],
        np.zeros(1, np.int64),
        lambda _: ["function:f@1", "function:g@1"],
        bundle,
        ("expert",),
        FINAL,
    )
    touched = purpose == Purpose.SETTLE
    assert evidence.held.tolist() == [touched]
    assert evidence.wanted.tolist() == [[int(touched)]]
    assert evidence.drawn.tolist() == [False]


def item(text: str, place: int, inline: int, vector: np.ndarray, answers: Sequence[Answer] = ()) -> OpenItem:
    payload = json.dumps({"id": f"i{place}", "text": text}).encode()
    base = certified(())
    return replace(
        base,
        id=f"i{place}",
        inline=np.array([inline, -1], np.int8),
        payload=payload,
        vector=vector.astype(np.float16),
        encoder="tiny",
        answers=answers,
    )


def with_heads(*says: int) -> Bundle:
    """A bundle whose head of fold f says class `says[f]`, whatever the vector."""
    heads = tuple(
        LinearHead(np.zeros((2, 3), np.float32), np.eye(2, dtype=np.float32)[label] * 4) for label in says
    )
    bundle = Bundle.from_priors(("ham", "spam"), {"expert": 0.98})
    return replace(bundle, heads=heads, head=heads[0], encoder="tiny")


def test_a_new_item_and_its_re_pass_are_judged_by_the_same_head() -> None:
    """The head of the item's fold: trained without its text, whenever that was."""
    texts = [f"text number {place}" for place in range(40)]
    groups = np.array([group_of(Item("", {"text": text})) for text in texts])
    bundle = with_heads(0, 1, 1, 0, 1)
    vectors = np.ones((40, 3), np.float32)
    keys = ("function:f@1", "function:g@1")
    arrived = of_arrivals(np.full((40, 2), -1, np.int8), keys, vectors, groups, bundle, 1)
    stored = [item(text.upper() + " ", place, -1, vectors[place]) for place, text in enumerate(texts)]
    again = of_stored(stored, groups_of_stored(stored), lambda _: keys, bundle, ("expert",), FINAL)
    np.testing.assert_array_equal(again.posterior, arrived.posterior)
    np.testing.assert_array_equal(again.scores, arrived.scores)
    said = np.array([0, 1, 1, 0, 1])[groups % 5]
    assert arrived.posterior.argmax(axis=1).tolist() == said.tolist()
    assert len(set(groups % 5)) == 5


def test_a_vector_of_another_encoder_says_no_more_than_none() -> None:
    """As of items that came before the configuration named another encoder."""
    bundle, keys = with_heads(1, 1, 1, 1, 1), ("function:f@1", "function:g@1")
    ours = item("a text", 0, -1, np.ones(3, np.float32))
    earlier = replace(ours, encoder="other", vector=np.ones(5, np.float16))
    stored = [ours, earlier, replace(ours, encoder=None, vector=None)]
    evidence = of_stored(stored, groups_of_stored(stored), lambda _: keys, bundle, ("expert",), FINAL)
    assert evidence.classifier is not None
    assert np.isnan(evidence.classifier).any(axis=1).tolist() == [False, True, True]
    assert evidence.posterior[1].tolist() == evidence.posterior[2].tolist() == [0.5, 0.5]
    assert evidence.posterior[0].argmax() == 1


def test_observations_of_one_subject_share_a_group() -> None:
    one, other = (Item("1", {"text": text}, "deer") for text in ("a text", "another"))
    assert group_of(one) == group_of(other) != group_of(Item("1", {"text": "a text"}))
    greeting, again = (Item("1", {"text": text}) for text in ("Hello   Friend ", "hello friend"))
    assert group_of(greeting) == group_of(again)


def test_pairs_of_one_prompt_are_a_group() -> None:
    def pair(prompt: str, a: str, b: str) -> Item:
        return Item("1", {"prompt": prompt, "response_a": a, "response_b": b})

    assert group_of(pair("Why?", "x", "y")) == group_of(pair("why? ", "y", "z"))
    assert group_of(pair("Why?", "x", "y")) != group_of(pair("Who?", "x", "y"))


def test_a_tier_that_abstained_has_been_asked_but_says_nothing() -> None:
    bundle = Bundle.from_priors(("ham", "spam"), {"llm": 0.8, "expert": 0.98})
    silent = replace(certified(()), id="b", passed=("llm",))
    spoken = replace(certified(()), id="c", answers=said(0, tier="llm"))
    evidence = of_stored(
        [certified(()), silent, spoken],
        np.zeros(3, np.int64),
        lambda _: ["function:f@1", "function:g@1"],
        bundle,
        ("llm", "expert"),
        FINAL,
    )
    assert evidence.answered.tolist() == [[0, 0], [1, 0], [1, 0]]
    assert evidence.posterior[0].tolist() == evidence.posterior[1].tolist()
    assert evidence.posterior[2].tolist() != evidence.posterior[1].tolist()


def test_an_abstention_about_one_item_of_a_subject_counts_for_the_others() -> None:
    bundle = Bundle.from_priors(("ham", "spam"), {"llm": 0.8, "expert": 0.98})
    pair = [
        replace(certified(()), id="a", subject="s", passed=("llm",)),
        replace(certified(()), id="b", subject="s"),
    ]
    keys = ["function:f@1", "function:g@1"]
    evidence = of_stored(pair, np.zeros(2, np.int64), lambda _: keys, bundle, ("llm", "expert"), FINAL)
    assert evidence.answered.tolist() == [[1, 0], [1, 0]]
