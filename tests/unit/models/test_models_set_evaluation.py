"""Figures of sets, against their definitions on numbers that fit on a hand."""

import numpy as np
import pytest

from models.set_evaluation import judge_sets, likelier, set_log_loss

TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
SAID = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0], [1, 1, 0]])


def posterior(said: np.ndarray, sure: float = 0.9) -> np.ndarray:
    yes = np.where(said == 1, sure, 1 - sure)
    return np.stack([1 - yes, yes], axis=2).reshape(len(said), -1)


def test_what_is_likelier_is_said() -> None:
    np.testing.assert_array_equal(likelier(posterior(SAID)), SAID)


def test_the_loss_of_a_set_is_the_sum_over_its_classes() -> None:
    right, wrong = -np.log(0.9), -np.log(0.1)
    expected = [3 * right, 2 * right + wrong, 3 * right, 2 * right + wrong]
    np.testing.assert_allclose(set_log_loss(posterior(SAID), TRUTH), expected)


def test_figures_of_sets() -> None:
    scores = np.array([0.9, 0.2, 0.9, 0.1])
    found = judge_sets(posterior(SAID), scores, TRUTH, posterior(SAID), {"more": 1.0})
    metrics = found.metrics
    assert metrics["accuracy"] == 0.5
    assert metrics["hamming_loss"] == pytest.approx(2 / 12)
    # billing: 2 hits, 3 said, 2 true; praise: 1 hit, 1 said, 2 true; the third never occurs
    assert metrics["f1_macro"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert metrics["f1_micro"] == pytest.approx(6 / 8)
    assert metrics["minority_f1"] == pytest.approx(4 / 5)
    assert metrics["more"] == 1
    assert found.confusion.tolist() == [[[1, 1], [0, 2]], [[2, 0], [1, 1]], [[4, 0], [0, 0]]]
    assert found.class_counts.tolist() == [3, 1, 0]
    assert found.risk_coverage[-1].tolist() == [1.0, 0.5]
    assert found.risk_coverage[0].tolist() == [0.5, 0.0]
