"""Items that functions alone would release go without a vector, and are released all the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from loop_harness import POLICY, Loop

from daemon.adapters.encoders import WholeTexts
from daemon.adapters.fake_registry import FakeRegistry
from daemon.core.settings import DriftSettings, LearningSettings
from daemon.core.sparing import Sparing, sampled
from models.arrays import F4
from models.bundle import Bundle
from models.training import Candidate, TrainingData, TrainingOptions, train

SETTINGS = LearningSettings(min_answers=1, label_models=("majority",))
PROMISE = replace(POLICY.guarantee, cold_start_gold=40, cold_start_share=1.0)


class Digits:
    """Vectors of length 1 that tell next to nothing: how often a text has each of some digits."""

    name = "digits"

    def encode(self, texts: Sequence[str]) -> F4:
        counts = [[1.0, *(text.count(digit) for digit in "12345")] for text in texts]
        vectors = np.array(counts, np.float32).reshape(-1, 6)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def sure(number: int) -> dict[str, str]:
    text = "win a prize now" if number % 2 else "hello friend, lunch?"
    return {"id": f"sure-{number}", "text": f"{text} {number}"}


def fair(number: int) -> dict[str, str]:
    """One function speaks of it: enough to be released, less than what is said of the others."""
    return {"id": f"fair-{number}", "text": f"win {number}" if number % 2 else f"lunch {number}"}


def unsure(number: int) -> dict[str, str]:
    return {"id": f"unsure-{number}", "text": f"win or hello {number}"}


def batch(first: int) -> list[dict[str, str]]:
    """Most are sure, some are fair, few are unsure."""
    kinds = ((sure, 300), (fair, 80), (unsure, 30))
    return [make(number) for make, count in kinds for number in range(first, first + count)]


def truth(text: str) -> int:
    return 1 if "win" in text else 0


def train_here(data: TrainingData, champion: Bundle | None, alive: Callable[[], object]) -> Candidate:
    return train(data, TrainingOptions(SETTINGS.label_models), champion, lambda _: None)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    policy = replace(POLICY, guarantee=PROMISE, drift=DriftSettings(enabled=False))
    made = Loop(tmp_path, policy, encoder=WholeTexts(Digits())).start()
    yield made
    made.close()


def learn(loop: Loop) -> None:
    learner = loop.learner(FakeRegistry(), SETTINGS, train_here)
    assert learner.step()
    loop.settle()


def window(loop: Loop) -> None:
    """Let one freeze, be audited and close."""
    loop.tend()
    loop.answer("eve", "expert", truth)
    loop.tend()


def with_vector(loop: Loop) -> dict[str, bool]:
    rows = loop.learning.training_rows(10_000)
    return dict(zip(rows.ids, rows.has_vector.tolist(), strict=True))


def test_what_functions_alone_would_release_is_not_encoded_and_still_certified(loop: Loop) -> None:
    pipeline = loop.worker.pipeline
    pipeline.sparing = Sparing(loop.policy, lambda: loop.windows.last_threshold() or float("inf"))
    loop.send(batch(0))
    loop.read()
    loop.answer("eve", "expert", truth)
    assert all(with_vector(loop).values()), "no window has released anything"
    learn(loop)
    window(loop)
    assert loop.windows.last_threshold() is not None

    second = batch(1_000)
    loop.send(second)
    loop.read()
    found = with_vector(loop)
    ids = [one["id"] for one in second]
    for kind, is_spared in (("sure", True), ("unsure", False)):
        own = [id_ for id_ in ids if id_.startswith(kind)]
        wanted = sampled(own) if is_spared else np.ones(len(own), bool)
        assert [found[id_] for id_ in own] == wanted.tolist()
    labels = loop.labels()
    heard = {id_: [vote["annotator"] for vote in labels[id_]["votes"]] for id_ in ids}
    assert {id_ for id_ in ids if "classifier" in heard[id_]} == {id_ for id_ in ids if found[id_]}

    window(loop)
    labels = loop.labels()
    released = [id_ for id_ in ids if labels[id_]["status"] == "certified"]
    assert any(not found[id_] for id_ in released)
    learn(loop)
    current = loop.learning.current_bundle(None)
    assert current is not None
    assert Bundle.from_bytes(current.data).has_classifier, "it learns from those that have a vector"
