"""The acceptance score's curve and temperatures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import log_softmax, softmax
from models.calibration import Calibration, fit_calibration, fit_temperature


def overconfident(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose logits are twice what they should be, and whether each label was right."""
    random = np.random.default_rng(seed)
    logits = random.normal(1.5, 1, n)
    return 1 / (1 + np.exp(-2 * logits)), random.random(n) < 1 / (1 + np.exp(-logits))


def test_overconfidence_is_unlearned() -> None:
    scores, right = overconfident(4000)
    calibrated = fit_calibration(scores, right).apply(scores)
    truth = 1 / (1 + np.exp(-np.log(scores / (1 - scores)) / 2))
    assert np.abs(calibrated - truth).mean() < 0.03
    assert np.abs(scores - truth).mean() > 0.06


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30))
def test_any_curve_rises_and_stays_within_bounds(answers: list[tuple[float, bool]]) -> None:
    curve = fit_calibration(
        np.array([score for score, _ in answers]), np.array([right for _, right in answers], bool)
    )
    values = curve.apply(np.linspace(0, 1, 501))
    assert (np.diff(values) >= 0).all()
    assert 0 <= values[0] <= values[-1] <= 1


def test_a_handful_of_right_answers_proves_little() -> None:
    curve = fit_calibration(np.full(5, 0.6), np.ones(5, bool))
    assert 0.6 < curve.apply([0.6])[0] < 0.85


def test_different_scores_stay_different() -> None:
    scores, right = overconfident(200)
    distinct = np.unique(scores)
    assert (np.diff(fit_calibration(scores, right).apply(distinct)) > 0).all()


def test_without_answers_scores_stay_as_they_are() -> None:
    scores = np.array([0.0, 0.3, 1.0])
    assert fit_calibration(np.empty(0), np.empty(0, bool)).apply(scores).tolist() == scores.tolist()


@pytest.mark.parametrize(("x", "y"), [([0, 0], [0, 1]), ([0, 1], [1, 0]), ([0, 1], [0]), ([0], [0])])
def test_knots_that_are_no_rising_curve_are_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Calibration(np.array(x, float), np.array(y, float))


def test_temperature_is_found_and_pulled_to_one() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, (3000, 3))
    gold = np.array([random.choice(3, p=row) for row in softmax(honest)])
    assert fit_temperature(honest * 4, gold) == pytest.approx(0.25, rel=0.1)
    assert fit_temperature(honest / 3, gold) == pytest.approx(3, rel=0.1)
    assert 0.3 < fit_temperature(honest[:3] * 4, gold[:3]) < 2
    assert fit_temperature(honest[:0], gold[:0]) == 1


def test_softmax_survives_large_logits() -> None:
    logits = np.array([[1e4, 0.0], [-1e4, 0.0]])
    assert softmax(logits).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert log_softmax(logits)[1].tolist() == [-1e4, 0.0]
