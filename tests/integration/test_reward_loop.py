"""Pairs through stream, people and learner: the reward model votes on the next pairs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loop_harness import POLICY, Loop

from daemon.adapters.encoders import Differences
from daemon.adapters.fake_registry import FakeRegistry
from daemon.core.settings import LearningSettings
from labeling_functions.function import labeling_function
from models.arrays import F4
from models.bundle import Bundle
from models.training import Candidate, TrainingData, TrainingOptions, train

A, B, TIE = 0, 1, 2
KIND = ("gladly", "welcome", "please", "thanks")
RUDE = ("nope", "whatever", "boring", "shush")
PAIRS = replace(
    POLICY,
    classes=("A", "B", "tie"),
    kind="preference",
    guarantee=replace(POLICY.guarantee, cold_start_gold=60, cold_start_share=1.0),
)


class Words:
    """Vectors of length 1: which words of a small language a text has."""

    name = "words"

    def encode(self, texts: Sequence[str]) -> F4:
        counts = np.array([[text.count(word) for word in (*KIND, *RUDE)] + [1] for text in texts], np.float32)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True))


@labeling_function
def exclaims_less(x: Any) -> int:
    marks = [response.count("!") for response in (x.response_a, x.response_b)]
    return -1 if marks[0] == marks[1] else int(np.argmin(marks))


@labeling_function
def same(x: Any) -> int:
    return TIE if x.response_a == x.response_b else -1


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path, PAIRS, functions=(exclaims_less, same), encoder=Differences(Words())).start()
    yield made
    made.close()


def pair(name: str, a: str, b: str) -> dict[str, Any]:
    return {"id": name, "fields": {"prompt": f"Question {name}", "response_a": a, "response_b": b}}


def sample(n: int) -> list[dict[str, Any]]:
    """Pairs of a kind and a rude response in either order, some with marks, and a few of equal responses."""
    random = np.random.default_rng(0)
    found = []
    for number in range(n):
        kind, rude = (f"{random.choice(words)} {random.choice(words)}." for words in (KIND, RUDE))
        marks = "!" if number % 3 == 0 else ""
        a, b = (kind, rude + marks) if random.random() < 0.5 else (rude + marks, kind)
        found.append(pair(f"p{number}", a, a if number % 10 == 0 else b))
    return found


def truth(message: dict[str, Any]) -> int:
    fields = message["fields"]
    kind_a, kind_b = (any(word in fields[name] for word in KIND) for name in ("response_a", "response_b"))
    return TIE if kind_a == kind_b else A if kind_a else B


def train_here(data: TrainingData, champion: Bundle | None, alive: Callable[[], object]) -> Candidate:
    alive()
    return train(data, TrainingOptions(head="pairs"), champion, lambda _: None)


def learn(loop: Loop, registry: FakeRegistry) -> None:
    learner = loop.learner(registry, LearningSettings(min_answers=30), train_here)
    assert learner.step()


def test_the_reward_model_votes_on_the_next_pairs(loop: Loop) -> None:
    unseen = [
        pair("kind first", "thanks gladly.", "whatever nope."),
        pair("kind last", "whatever nope.", "thanks gladly."),
        pair("again", "please please.", "please please."),
    ]
    loop.send(sample(200))
    loop.read()
    assert loop.answer_items("eve", "expert", truth, limit=60) == 60
    registry = FakeRegistry()
    learn(loop, registry)
    (run,) = registry.runs
    assert run.promoted
    assert run.encoder == "pairs:words"
    assert run.metrics["reward_accuracy"] > 0.9
    assert run.metrics["reward_pairs"] + run.metrics["reward_ties"] == 60
    assert run.metrics["reward_ties"] > 0
    assert run.metrics["reward_spread/embedding"] > 1
    loop.settle()
    loop.send(unseen)
    loop.read()
    labels = loop.labels()
    assert [labels[name]["label"] for name in ("kind first", "kind last")] == ["A", "B"]
    (vote,) = labels["kind first"]["votes"]
    assert (vote["annotator"], vote["label"]) == ("classifier", "A")
    assert labels["kind first"]["preference"] > 0.8
    assert labels["kind last"]["preference"] < 0.2
    assert labels["again"]["label"] == "tie"


def test_vectors_of_pairs_are_stored_under_their_encoders_name(loop: Loop) -> None:
    loop.send(sample(20))
    loop.read()
    rows = loop.learning.training_rows(100)
    assert rows.encoder == "pairs:words"
    assert rows.has_vector.all()
    place = rows.ids.index("p0")
    assert not rows.vectors[place].any(), "both responses of this pair are the same"
