"""When learning picks stop."""

import numpy as np
import pytest

from models.stopping import enough_learned, flat, steady

FIXED = np.arange(500) % 2


def changed(n: int) -> np.ndarray:
    """The fixed items' labels with n of them turned."""
    labels = FIXED.copy()
    labels[:n] = 1 - labels[:n]
    return labels


@pytest.mark.parametrize(
    ("shares", "stop", "word"),
    [
        ([0.5, 0.5], False, "2 of 3 windows"),
        ([0.1, 0.50, 0.51, 0.52], True, "flat"),
        ([0.50, 0.51, 0.53], False, "still moves"),
        ([0.60, 0.50, 0.40], False, "still moves"),
        ([0.0, 0.0, 0.0], False, "nothing was certified"),
    ],
)
def test_the_certified_share_stands_still(shares: list[float], stop: bool, word: str) -> None:
    verdict = flat(shares)
    assert verdict.stop is stop
    assert word in verdict.reason


@pytest.mark.parametrize(
    ("turned", "stop", "word"),
    [
        ([0, 5, 0, 5], True, "as they were"),
        ([100, 0, 0, 5, 0], True, "as they were"),
        ([0, 0, 0], False, "2 of 3 retrainings"),
        ([0, 0, 0, 6], False, "still changes"),
        ([0, 6, 6, 6], False, "still changes"),
        ([], False, "0 of 3 retrainings"),
    ],
)
def test_predictions_stand_still(turned: list[int], stop: bool, word: str) -> None:
    verdict = steady([changed(n) for n in turned])
    assert verdict.stop is stop
    assert word in verdict.reason


def test_a_model_that_says_one_thing_always_proves_nothing() -> None:
    assert not steady([np.zeros(500, int)] * 4).stop


def test_a_handful_of_fixed_items_proves_nothing() -> None:
    assert "fixed items" in steady([FIXED[:50]] * 4).reason


def test_predictions_on_other_items_are_refused() -> None:
    with pytest.raises(ValueError, match="must be equal"):
        steady([FIXED, FIXED[:400]])


def test_one_sign_is_enough_and_both_are_explained() -> None:
    assert enough_learned([0.5] * 3, []).stop
    assert enough_learned([], [FIXED] * 4).stop
    going_on = enough_learned([0.2], [FIXED])
    assert not going_on.stop
    assert "windows" in going_on.reason
    assert "retrainings" in going_on.reason


def test_drift_and_moving_predictions_start_learning_again() -> None:
    assert enough_learned([0.5] * 3, [FIXED] * 4).stop
    assert "drift" in enough_learned([0.5] * 3, [FIXED] * 4, drifting=True).reason
    moved = enough_learned([0.5] * 3, [FIXED, changed(30)])
    assert not moved.stop
    assert "94.0%" in moved.reason
    assert enough_learned([0.5] * 3, [FIXED, changed(20)]).stop
    assert enough_learned([0.5] * 3, [FIXED[:50], changed(30)[:50]]).stop, "too few items to say"
