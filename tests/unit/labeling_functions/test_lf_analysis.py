"""The table by which functions are judged, on a matrix small enough to count by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest

from labeling_functions.analysis import analyze, analyze_all, render, wilson
from labeling_functions.label_space import UNKNOWN, LabelSpace

L = np.array([[-1, 0, 0], [-1, -1, -1], [1, 0, -1], [-1, 0, -1], [0, 0, 0]], dtype=np.int8)
TRUTH = np.array([0, 1, 1, -1, 0])


def test_counted_by_hand():
    first, second, third = analyze(L, ["a", "b", "c"], 3, TRUTH)
    assert (first.coverage, second.coverage, third.coverage) == (0.4, 0.8, 0.4)
    assert (first.overlap, second.overlap, third.overlap) == pytest.approx((0.4, 0.6, 0.4))
    assert (first.conflict, second.conflict, third.conflict) == pytest.approx((0.2, 0.2, 0.0))
    assert (first.polarity, second.polarity) == ((0, 1), (0,))
    assert (first.votes, second.votes) == ((1, 1, 0), (4, 0, 0))


def test_accuracy_rests_on_votes_whose_truth_is_known():
    first, second, _ = analyze(L, ["a", "b", "c"], 2, TRUTH)
    assert first.accuracy is not None and second.accuracy is not None
    assert (first.accuracy.answered, first.accuracy.correct) == (2, 2)
    assert (second.accuracy.answered, second.accuracy.correct) == (3, 2)
    assert second.accuracy.share == pytest.approx(2 / 3)


def test_without_truth_there_is_no_accuracy():
    assert [report.accuracy for report in analyze(L, ["a", "b", "c"], 2)] == [None] * 3
    unknown = np.full(5, -1)
    assert [report.accuracy for report in analyze(L, ["a", "b", "c"], 2, unknown)] == [None] * 3


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 40), (40, 40), (7, 20), (990, 1000)])
def test_the_interval_is_wilsons(successes, n):
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("matrix", "truth", "message"),
    [
        (L[:, :2], None, r"L has shape \(5, 2\); \(items, 3\)"),
        (L[:0], None, r"L has shape \(0, 3\)"),
        (L, TRUTH[:4], r"truth has shape \(4,\); \(5,\) is wanted"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(matrix, truth, message):
    with pytest.raises(ValueError, match=message):
        analyze(matrix, ["a", "b", "c"], 2, truth)


def test_no_functions_make_an_empty_table():
    assert analyze(np.zeros((3, 0), dtype=np.int8), [], 2) == []


def test_the_table_shows_every_figure():
    lines = render(analyze(L, ["has_link", "b", "c"], 2, TRUTH), ("ham", "spam")).splitlines()
    (row,) = [line for line in lines if "has_link" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["has_link", "40.0%", "40.0%", "20.0%", "1", "1", "100.0%", "34.2% - 100.0%", "2"]
    assert all(title in "".join(lines) for title in ("coverage", "ham", "spam", "95 % interval", "checked"))


def test_of_a_multilabel_task_functions_are_judged_class_by_class():
    space = LabelSpace(("a", "b", "c"), sets=True)
    L = np.array([[1, -1, -1, 1, 0, -1], [-1, -1, -1, 0, 0, -1], [1, -1, -1, -1, 1, -1]], np.int8)
    truth = np.array([0b001, UNKNOWN, 0b110])
    reports = analyze_all(L, ["f", "g"], space, truth)
    assert [(one.name, one.about, one.votes) for one in reports] == [
        ("f", "a", (0, 2)),
        ("g", "a", (1, 1)),
        ("g", "b", (2, 1)),
    ]
    assert [(one.accuracy.correct, one.accuracy.answered) for one in reports] == [(1, 2), (1, 1), (2, 2)]
    assert [round(one.conflict, 2) for one in reports] == [0.0, 0.0, 0.0]
    assert [round(one.coverage, 2) for one in reports] == [0.67, 0.67, 1.0]
    lines = render(reports, space.options).splitlines()
    assert [cell.strip() for cell in lines[1].strip("┃").split("┃")][:7] == [
        "function",
        "class",
        "coverage",
        "overlap",
        "conflict",
        "no",
        "yes",
    ]


def test_of_a_task_with_one_class_an_item_nothing_changes():
    assert analyze_all(L, ["a", "b", "c"], LabelSpace(("ham", "spam")), TRUTH) == analyze(
        L, ["a", "b", "c"], 2, TRUTH
    )
