"""snorkel's own decorators, applier and analysis beside ours."""

import importlib
import sys

import numpy as np
import pandas as pd
import pytest
from snorkel.labeling import LFAnalysis, PandasLFApplier
from snorkel.labeling import labeling_function as snorkel_function
from snorkel.preprocess import Preprocessor, preprocessor

from labeling_functions import ABSTAIN, Item, batch_labeling_function, labeling_function
from labeling_functions.analysis import analyze
from labeling_functions.applier import Applier
from labeling_functions.function import as_function
from labeling_functions.label_space import LabelSpace
from labeling_functions.loading import load

TEXTS = ["WIN a prize", "see you", "call now to WIN", "", "lunch at 12?", "prize prize"] * 5
ITEMS = [Item(str(row), {"text": text}) for row, text in enumerate(TEXTS)]

MODULE = """
from snorkel.labeling import labeling_function
from snorkel.preprocess import preprocessor

@preprocessor(memoize=True)
def lower(x):
    x.text = x.text.lower()
    return x

@labeling_function(pre=[lower])
def wins(x):
    return 1 if "win" in x.text else -1

@labeling_function(name="short", resources={"limit": 8})
def few_letters(x, limit):
    return 0 if len(x["text"]) < limit else -1
"""


class Words(Preprocessor):
    """Counts words; snorkel's class-based kind."""

    def __init__(self, least: int) -> None:
        super().__init__("words", {"text": "text"}, {"words": "words"}, memoize=True)
        self.least = least

    def run(self, text):
        return {"words": [word for word in text.split() if len(word) >= self.least]}


@preprocessor()
def shout(x):
    x.text = x.text.upper()
    return x


def with_words(least: int):
    @snorkel_function(name="words", pre=[Words(least)])
    def function(x):
        return 1 if len(x.words) > 1 else -1

    return function


def test_a_module_of_snorkel_functions_votes_as_in_snorkels_applier(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "theirs.py").write_text(MODULE)
    functions = load(["theirs"], tmp_path)
    assert [function.name for function in functions] == ["wins", "short"]
    applied = Applier(functions, LabelSpace(("ham", "spam")), 30.0).apply(ITEMS)
    module = importlib.import_module("theirs")
    expected = PandasLFApplier([module.wins, module.few_letters]).apply(
        pd.DataFrame({"text": TEXTS}), progress_bar=False
    )
    assert applied.failures == {}
    assert applied.L.tolist() == expected.tolist()
    assert {-1, 0, 1} == set(np.unique(applied.L))


def test_preprocessors_with_settings_work_and_count_in_the_version():
    functions = [as_function(with_words(least)) for least in (1, 4, 4)]
    applied = [Applier([function], LabelSpace(("ham", "spam")), 30.0).apply(ITEMS) for function in functions]
    frame = pd.DataFrame({"text": TEXTS})
    expected = PandasLFApplier([with_words(4)]).apply(frame, progress_bar=False)
    assert applied[1].L.tolist() == expected.tolist() != applied[0].L.tolist()
    assert functions[0].version != functions[1].version
    assert functions[1].version == functions[2].version


def test_memoized_points_are_shared_in_a_batch_and_forgotten_after_it():
    calls = []

    @preprocessor(memoize=True)
    def noted(x):
        calls.append(x.id)
        return x

    @preprocessor(memoize=True, pre=[noted])
    def outer(x):
        return x

    functions = [labeling_function(name=name, pre=[outer])(lambda x: None) for name in "ab"]
    applier = Applier(functions, LabelSpace(("ham", "spam")), 30.0)
    applier.apply(ITEMS[:3])
    assert calls == ["0", "1", "2"]
    assert (outer._cache, noted._cache) == ({}, {})


def test_our_decorator_takes_snorkels_preprocessors():
    @labeling_function(pre=[shout])
    def shouted(item):
        return 1 if "LUNCH" in item.text else None

    assert shouted(ITEMS[4]) == 1
    assert ITEMS[4].text == "lunch at 12?"


def test_our_functions_run_in_snorkels_applier():
    @labeling_function
    def prize(item):
        return 1 if "prize" in item.text else -1

    frame = pd.DataFrame({"text": TEXTS})
    expected = PandasLFApplier([prize]).apply(frame, progress_bar=False)
    assert Applier([prize], LabelSpace(("ham", "spam")), 30.0).apply(ITEMS).L.tolist() == expected.tolist()


def test_errors_in_snorkel_functions_name_the_users_line():
    @snorkel_function()
    def broken(x):
        return 1 / len(x.text)

    function = as_function(broken)
    applied = Applier([function], LabelSpace(("ham", "spam")), 30.0).apply([ITEMS[3]])
    line = broken._f.__code__.co_firstlineno + 2
    assert (
        applied.messages["broken"]
        == f"ZeroDivisionError: division by zero ({__file__}, line {line}; item '3')"
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_analysis_agrees_with_lfanalysis(seed):
    rng = np.random.default_rng(seed)
    L = rng.integers(-1, 4, size=(60, 5)).astype(np.int8)
    L[:, 3] = ABSTAIN
    truth = rng.integers(0, 4, size=60)
    reports = analyze(L, [f"f{j}" for j in range(5)], 4, truth)
    theirs = LFAnalysis(L.astype(np.float64))
    assert [report.coverage for report in reports] == theirs.lf_coverages().tolist()
    assert [report.overlap for report in reports] == theirs.lf_overlaps().tolist()
    assert [report.conflict for report in reports] == theirs.lf_conflicts().tolist()
    assert [list(report.polarity) for report in reports] == theirs.lf_polarities()
    shares = [report.accuracy.share for report in reports if report.accuracy]
    assert shares == pytest.approx(np.delete(theirs.lf_empirical_accuracies(truth), 3))
    assert reports[3].accuracy is None


def test_batch_functions_are_analyzed_like_others():
    @batch_labeling_function
    def long(items):
        return [1 if len(item.text) > 8 else 0 for item in items]

    applied = Applier([long], LabelSpace(("ham", "spam")), 30.0).apply(ITEMS)
    (report,) = analyze(applied.L, ["long"], 2)
    assert (report.coverage, report.overlap, report.votes) == (1.0, 0.0, (10, 20))
