"""Figures of an evaluation, by hand."""

import math

import numpy as np
import pytest

from models.evaluation import (
    calibration_error,
    confusion_matrix,
    judge,
    log_loss,
    minority_f1,
    reliability_bins,
    risk_coverage_curve,
)


def test_confusion_counts_true_by_predicted() -> None:
    counts = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_minority_f1_is_that_of_the_rarest_class_seen() -> None:
    assert minority_f1(np.array([[90, 5, 0], [2, 3, 0], [0, 0, 0]])) == pytest.approx(2 * 3 / (5 + 8))
    assert math.isnan(minority_f1(np.zeros((2, 2), int)))


def test_log_loss_has_a_ceiling() -> None:
    losses = log_loss(np.array([[0.25, 0.75], [0.0, 1.0]]), np.array([1, 0]))
    np.testing.assert_allclose(losses, [-np.log(0.75), -np.log(1e-6)])


def test_reliability_bins_are_even_and_their_gaps_average() -> None:
    scores = np.repeat([0.6, 0.9], 10)
    right = np.array([True] * 5 + [False] * 5 + [True] * 9 + [False])
    bins = reliability_bins(scores, right)
    assert bins[:, 2].tolist() == [2] * 10
    coarse = np.array([[0.6, 0.5, 10], [0.9, 0.9, 10]])
    assert calibration_error(coarse) == pytest.approx(0.05)
    assert math.isnan(calibration_error(reliability_bins(np.empty(0), np.empty(0, bool))))


def test_risk_coverage_takes_ties_together() -> None:
    curve = risk_coverage_curve(np.array([0.9, 0.5, 0.9, 0.5]), np.array([True, False, False, True]))
    assert curve.tolist() == [[0.5, 0.5], [1.0, 0.5]]
    assert risk_coverage_curve(np.empty(0), np.empty(0, bool)).shape == (0, 2)


def test_a_judgment_without_audits_has_no_values_but_counts_classes() -> None:
    everything = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    result = judge(np.empty((0, 2)), np.empty(0), np.empty(0, int), everything, {"more": 1.0})
    assert result.metrics["audited"] == 0
    assert math.isnan(result.metrics["accuracy"])
    assert result.metrics["more"] == 1.0
    assert result.class_counts.tolist() == [1, 2]
    assert result.reliability.shape == (0, 3)


def test_labels_are_counted_as_they_are_decided() -> None:
    """Missing the rare class costs nine times as much: its label is given from a tenth on."""
    posterior = np.array([[0.85, 0.15], [0.95, 0.05]])
    cost = np.array([[0.0, 9.0], [1.0, 0.0]])
    result = judge(posterior, posterior.max(axis=1), np.array([1, 0]), posterior, {}, cost)
    assert result.confusion.tolist() == [[1, 0], [0, 1]]
    assert result.class_counts.tolist() == [1, 1]
    assert result.metrics["minority_f1"] == 1.0
    assert result.reliability[:, 1].tolist() == [0, 1], "the score is of the likeliest label"
