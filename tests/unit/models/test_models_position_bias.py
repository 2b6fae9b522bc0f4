"""Position bias: estimated from flips, corrected, averaged away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import F8
from models.position_bias import PositionBias, averaged, flip_rate
from models.reward_model import sigmoid

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20)


def judge(worth: F8, bias: float, seed: int) -> tuple[F8, F8]:
    """Hard answers of a judge in both orders: 1 where it takes what is shown first."""
    coins = np.random.default_rng(seed).random((2, len(worth)))
    return (coins[0] < sigmoid(worth + bias)).astype(float), (coins[1] < sigmoid(bias - worth)).astype(float)


@pytest.mark.parametrize("bias", [-1.0, 0.0, 0.8])
def test_a_known_bias_is_found_whatever_the_pairs_are_worth(bias: float) -> None:
    worth = np.random.default_rng(0).normal(0, 2, 20_000)
    assert PositionBias.estimate(*judge(worth, bias, seed=1)).bias == pytest.approx(bias, abs=0.08)


def test_the_bias_of_probabilities_is_found_exactly() -> None:
    worth = np.random.default_rng(0).normal(0, 2, 2_000)
    found = PositionBias.estimate(sigmoid(worth + 0.7), sigmoid(0.7 - worth))
    assert found.bias == pytest.approx(0.7, abs=0.01)


def test_clarity_is_found_when_all_pairs_are_equally_clear() -> None:
    worth = 1.2 * np.random.default_rng(0).choice([-1.0, 1.0], 40_000)
    assert PositionBias.estimate(*judge(worth, 0.5, seed=1)).clarity == pytest.approx(1.2, abs=0.05)


def test_corrected_answers_are_the_chances_that_they_are_right() -> None:
    worth = 1.2 * np.random.default_rng(0).choice([-1.0, 1.0], 40_000)
    first, turned = judge(worth, 0.9, seed=1)
    said = PositionBias.estimate(first, turned).corrected(first)
    for answer in (0.0, 1.0):
        mine = first == answer
        assert said[mine].mean() == pytest.approx((worth[mine] > 0).mean(), abs=0.02)


def test_a_judge_that_sees_positions_alone_says_nothing() -> None:
    always_first = np.ones(500)
    found = PositionBias.estimate(always_first, always_first)
    assert found.clarity == 0
    np.testing.assert_allclose(found.corrected(always_first), 0.5)


@given(ANSWERS)
def test_turning_all_pairs_around_changes_nothing_but_the_side(answers: list[tuple[float, float]]) -> None:
    first, turned = np.array(answers).T
    one, other = PositionBias.estimate(first, turned), PositionBias.estimate(turned, first)
    assert one.bias == pytest.approx(other.bias, abs=1e-9)
    assert one.clarity == pytest.approx(other.clarity, abs=1e-6)  # arccosh is steep at 1
    np.testing.assert_allclose(averaged(first, turned), 1 - averaged(turned, first))


@given(ANSWERS, st.floats(-5, 5), st.floats(0, 5))
def test_corrected_and_averaged_are_probabilities(
    answers: list[tuple[float, float]], bias: float, clarity: float
) -> None:
    first, turned = np.array(answers).T
    for result in (averaged(first, turned), PositionBias(bias, clarity).corrected(first)):
        assert ((result >= 0) & (result <= 1)).all()


def test_a_flip_is_no_preference() -> None:
    first, turned = np.array([1.0, 1.0, 0.0, 0.5]), np.array([1.0, 0.0, 1.0, 0.5])
    np.testing.assert_array_equal(averaged(first, turned), [0.5, 1.0, 0.0, 0.5])
    assert flip_rate(first, turned) == 0.25
    assert np.isnan(flip_rate(np.empty(0), np.empty(0)))


def test_answers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        averaged(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        PositionBias.estimate(np.array([1.5]), np.array([0.0]))
