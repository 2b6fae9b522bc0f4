"""Tables and curves of the insights page, worked out by hand on small samples."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.insight_rows import AuditedWindow, CheckedVotes, InsightRows
from daemon.core.insights import confusions, insights_of, risk_curve
from daemon.core.report_rows import AuditedPair
from daemon.core.rows import FunctionVersion
from labeling_functions.label_space import LabelSpace

SPACE = LabelSpace(("ham", "spam"))
TOPICS = LabelSpace(("billing", "delivery"), sets=True)
EMPTY = CheckedVotes(np.empty((0, 2), np.int8), np.empty(0, np.int64), np.empty(0, np.int64))
NOTHING = InsightRows([], np.empty((0, 0), np.int8), EMPTY, [], [])
FUNCTIONS = [FunctionVersion("prize", "v1"), FunctionVersion("greeting", "v2")]


def _window(scores: list[float], wrong: list[bool], weights: list[float], n: int = 100) -> AuditedWindow:
    return AuditedWindow(
        id=1,
        n=n,
        certified=60,
        alpha=0.05,
        tau=0.8,
        closed_at=0,
        scores=np.array(scores, np.float32),
        wrong=np.array(wrong),
        weights=np.array(weights),
        pairs=(),
        typical=np.linspace(0, 1, 101, dtype=np.float32),
    )


def test_nothing_stored_gives_empty_tables() -> None:
    found = insights_of(NOTHING, SPACE)
    assert (found.items, found.checked, found.windows) == (0, 0, 0)
    assert (found.functions, found.curve, found.certified) == ([], [], [])
    (matrix,) = found.confusions
    assert matrix.counts == [[0, 0], [0, 0]]


def test_functions_are_described_on_the_newest_items_and_judged_on_checked_ones() -> None:
    votes = np.array([[1, -1], [1, 0], [-1, -1], [-1, 0]], np.int8)
    checked = CheckedVotes(
        np.array([[1, -1], [1, 0], [1, -1]], np.int8), np.array([1, 0, 1]), np.array([1, 2, 3])
    )
    found = insights_of(replace(NOTHING, functions=FUNCTIONS, votes=votes, checked=checked), SPACE)
    prize, greeting = (one.report for one in found.functions)
    assert (prize.coverage, prize.overlap, prize.conflict) == (0.5, 0.25, 0.25)
    assert prize.accuracy is not None
    assert (prize.accuracy.answered, prize.accuracy.correct) == (3, 2)
    assert greeting.accuracy is not None
    assert (greeting.accuracy.answered, greeting.accuracy.correct) == (1, 1)
    assert [one.version for one in found.functions] == ["v1", "v2"]
    assert found.functions[0].trend == [], "three checked items make no trend"


def test_a_trend_has_parts_of_equally_many_checked_items_oldest_first() -> None:
    n = 60
    votes = np.stack([np.ones(n), np.full(n, -1)], axis=1).astype(np.int8)
    truth = np.array([1] * 30 + [0] * 30)
    checked = CheckedVotes(votes, truth, np.arange(n))
    found = insights_of(replace(NOTHING, functions=FUNCTIONS, votes=votes, checked=checked), SPACE)
    trend = [(one.at, one.items, one.votes, one.right) for one in found.functions[0].trend]
    assert trend == [(29, 30, 30, 30), (59, 30, 30, 0)]
    assert len(found.functions) == 2
    assert [one.votes for one in found.functions[1].trend] == [0, 0]


def test_functions_of_sets_are_judged_class_by_class() -> None:
    votes = np.array([[1, -1, -1, 0], [1, -1, -1, 1]], np.int8)  # prize on billing, greeting on delivery
    checked = CheckedVotes(votes, np.array([0b01, 0b01]), np.array([1, 2]))
    found = insights_of(replace(NOTHING, functions=FUNCTIONS, votes=votes, checked=checked), TOPICS)
    told = [
        (one.report.name, one.report.about, one.report.accuracy and one.report.accuracy.correct)
        for one in found.functions
    ]
    assert told == [("prize", "billing", 2), ("greeting", "delivery", 1)]


def test_confusion_counts_audits_and_what_they_stand_for() -> None:
    pairs = [AuditedPair(0, 0, 5, 50.0), AuditedPair(1, 0, 2, 20.0), AuditedPair(1, 0, 1, 40.0)]
    (matrix,) = confusions(pairs, SPACE)
    assert (matrix.about, matrix.options) == ("", ("ham", "spam"))
    assert matrix.counts == [[5, 0], [3, 0]]
    assert matrix.weights == [[50.0, 0.0], [60.0, 0.0]]


def test_sets_have_a_matrix_for_each_class() -> None:
    matrices = confusions([AuditedPair(0b01, 0b11, 3, 30.0)], TOPICS)
    assert [(one.about, one.options) for one in matrices] == [
        ("billing", ("no", "yes")),
        ("delivery", ("no", "yes")),
    ]
    assert matrices[0].counts == [[0, 0], [0, 3]]
    assert matrices[1].counts == [[0, 3], [0, 0]]


def test_a_class_that_the_task_has_lost_is_left_out() -> None:
    (matrix,) = confusions([AuditedPair(2, 0, 1, 1.0), AuditedPair(1, 1, 1, 1.0)], SPACE)
    assert matrix.counts == [[0, 0], [0, 1]]


def test_the_curve_weighs_audits_by_the_coins_that_picked_them() -> None:
    sure = [0.9] * 10
    curve = risk_curve([_window([*sure, 0.5], [False] * 10 + [True], [2.0] * 10 + [20.0])])
    assert [(point.score, point.audits) for point in curve] == [(pytest.approx(0.9), 10), (0.5, 11)]
    assert curve[0].risk == 0.0
    assert curve[1].risk == pytest.approx(0.5), "one rare audit stands for as many items as ten others"
    assert curve[1].low < 0.5 < curve[1].high
    assert curve[0].coverage == pytest.approx(0.11, abs=0.01)
    assert curve[1].coverage == pytest.approx(0.5, abs=0.01)


def test_the_interval_is_of_as_many_draws_as_weighted_audits_are_worth() -> None:
    even = risk_curve([_window([0.9] * 20, [True] + [False] * 19, [1.0] * 20)])[0]
    uneven = risk_curve([_window([0.9] * 20, [True] + [False] * 19, [19.0] + [1.0] * 19)])[0]
    assert even.high - even.low < uneven.high - uneven.low


def test_few_audits_make_no_curve_and_many_not_too_many_points() -> None:
    assert risk_curve([]) == []
    assert risk_curve([_window([0.9] * 9, [False] * 9, [1.0] * 9)]) == []
    many = np.linspace(1, 0, 500).tolist()
    curve = risk_curve([_window(many, [False] * 500, [1.0] * 500)])
    assert len(curve) == 40
    assert curve[-1].audits == 500


def test_certified_points_are_of_windows_that_released_something_oldest_first() -> None:
    windows = [
        replace(_window([], [], []), id=3),
        replace(_window([], [], []), id=2, tau=None, certified=0),
        replace(_window([], [], []), id=1, certified=30),
    ]
    found = insights_of(replace(NOTHING, windows=windows), SPACE)
    assert [(one.window, one.coverage, one.risk) for one in found.certified] == [
        (1, 0.3, 0.05),
        (3, 0.6, 0.05),
    ]
