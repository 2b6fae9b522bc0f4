"""Pairs through the loops: functions and people say which response is better, labels say how likely."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loop_harness import POLICY, Loop

from labeling_functions.function import labeling_function

A, B, TIE = 0, 1, 2

PAIRS = replace(POLICY, classes=("A", "B", "tie"), kind="preference")


@labeling_function
def longer(x: Any) -> int:
    if len(x.response_a) == len(x.response_b):
        return -1
    return A if len(x.response_a) > len(x.response_b) else B


@labeling_function
def polite(x: Any) -> int:
    said = [" please" in response for response in (x.response_a, x.response_b)]
    return -1 if said[0] == said[1] else said.index(True)


@labeling_function
def same(x: Any) -> int:
    return TIE if x.response_a == x.response_b else -1


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path, PAIRS, functions=(longer, polite, same)).start()
    yield made
    made.close()


def pair(name: str, a: str, b: str) -> dict[str, Any]:
    return {"id": name, "fields": {"prompt": "Ask for salt.", "response_a": a, "response_b": b}}


def test_functions_label_pairs(loop: Loop) -> None:
    loop.send([pair("b", "Salt!", "The salt please, dear"), pair("same", "Salt", "Salt")])
    loop.read()
    labels = loop.labels()
    assert labels["b"]["label"] == "B"
    assert labels["b"]["preference"] < 0.3
    assert labels["b"]["preference"] == pytest.approx(
        labels["b"]["probabilities"]["A"] + labels["b"]["probabilities"]["tie"] / 2, abs=1e-5
    )
    assert labels["same"]["votes"] == [{"annotator": "same", "label": "tie"}]
    assert labels["same"]["preference"] == pytest.approx(0.5, abs=1e-5)


def test_people_answer_in_terms_of_a_and_b(loop: Loop) -> None:
    loop.send([pair("odd", "Salt, or else.", "The salt")])
    loop.read()
    for name, tier in (("ann", "crowd"), ("ben", "crowd"), ("eve", "expert")):
        loop.answer_items(name, tier, lambda _: B)
    label = loop.labels()["odd"]
    assert (label["label"], label["status"]) == ("B", "human")
    assert label["preference"] < 0.4


def test_what_is_no_pair_is_a_dead_letter(loop: Loop) -> None:
    loop.send([{"id": "text", "text": "hello"}, pair("fine", "x", "yy please")])
    loop.read()
    assert list(loop.labels()) == ["fine"]
    assert [json.loads(message.value)["id"] for message in loop.messages("dead-letters")] == ["text"]
