"""The pictures show the numbers they are given, and empty ones do not break a run."""

import io

import numpy as np
import pytest
from training_runs import CLASSES, example_run

from daemon.adapters.plots import class_plot, confusion_plot, reliability_plot, risk_coverage_plot

RUN = example_run()


def test_confusion_shows_counts_names_and_shares() -> None:
    axes = confusion_plot(RUN.confusion, CLASSES).axes[0]
    assert [text.get_text() for text in axes.texts] == ["400", "12", "9", "70"]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(CLASSES)
    assert axes.images[0].get_array()[1].tolist() == pytest.approx([9 / 79, 70 / 79])
    assert "491 items" in axes.get_title()


def test_classes_of_sets_show_precision_recall_and_f1() -> None:
    confusion = np.array([[[6, 1], [1, 2]], [[10, 0], [0, 0]]])
    axes = class_plot(confusion, ("billing", "praise")).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["billing (3)", "praise (0)"]
    assert [line.get_label() for line in axes.lines] == ["precision", "recall", "F1"]
    for line in axes.lines:
        share, nothing = line.get_xdata()
        assert share == pytest.approx(2 / 3)
        assert np.isnan(nothing)
    assert "10 items" in axes.get_title()


def test_reliability_shows_filled_bins_only() -> None:
    bins = np.vstack([RUN.reliability, [0.65, 0.0, 0]])
    upper, lower = reliability_plot(bins).axes
    observed = upper.lines[1].get_xydata()
    assert observed.tolist() == RUN.reliability[:, :2].tolist()
    assert [bar.get_height() for bar in lower.patches] == [20, 50, 90, 331]
    assert upper.get_xlim() == lower.get_xlim()


def test_the_lowest_score_is_inside_the_picture() -> None:
    upper, _ = reliability_plot(np.array([[0.2, 0.3, 5.0]])).axes
    assert upper.get_xlim()[0] < 0.2


def test_risk_and_coverage_show_the_target() -> None:
    axes = risk_coverage_plot(RUN.risk_coverage, 0.05).axes[0]
    assert axes.lines[0].get_xydata().tolist() == RUN.risk_coverage.tolist()
    assert set(axes.lines[1].get_ydata()) == {0.05}
    assert axes.get_ylim()[1] > RUN.risk_coverage[:, 1].max()
    assert len(risk_coverage_plot(RUN.risk_coverage).axes[0].lines) == 1


@pytest.mark.parametrize(
    "figure",
    [
        confusion_plot(np.zeros((2, 2), np.int64), CLASSES),
        confusion_plot(np.eye(25, dtype=np.int64), [f"class {i}" for i in range(25)]),
        class_plot(np.zeros((2, 2, 2), np.int64), CLASSES),
        class_plot(np.zeros((62, 2, 2), np.int64), [f"class {i}" for i in range(62)]),
        reliability_plot(np.zeros((0, 3))),
        reliability_plot(np.zeros((10, 3))),
        risk_coverage_plot(np.zeros((0, 2)), 0.05),
    ],
    ids=[
        "no items",
        "many classes",
        "no items of sets",
        "sets of many classes",
        "no bins",
        "empty bins",
        "no points",
    ],
)
def test_odd_evaluations_can_be_drawn(figure: object) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")  # type: ignore[attr-defined]
    assert picture.getvalue().startswith(b"\x89PNG")
