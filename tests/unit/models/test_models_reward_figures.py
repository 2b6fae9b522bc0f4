"""What a run says of its reward model."""

import numpy as np
import pytest

from models.classifier import LinearHead
from models.pair_features import kinds_of
from models.response_style import STYLE
from models.reward_figures import reward_figures
from models.reward_model import soft_log_loss

D = 3 + len(STYLE)
PROBA = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.3, 0.3, 0.4]])
SOFT = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]])


def head(embedding: float, style: float) -> LinearHead:
    half = (np.where(kinds_of(D) == 0, embedding, style) / 2).astype(np.float32)
    return LinearHead(np.stack([half, -half, 0 * half]), np.zeros(3, np.float32))


def figures(expert: list[int], judged: list[bool], **changes: LinearHead) -> dict[str, float]:
    vectors = np.ones((4, D), np.float32)
    return dict(
        reward_figures(
            changes.get("head", head(1, 1)), vectors, PROBA, SOFT, np.array(expert), np.array(judged)
        )
    )


def test_accuracy_is_of_judged_pairs_and_ties_are_left_out_and_counted() -> None:
    found = figures([0, 1, 1, 2], [True, True, True, True])
    assert (found["reward_accuracy"], found["reward_pairs"], found["reward_ties"]) == (
        pytest.approx(2 / 3),
        3,
        1,
    )
    assert figures([0, 1, 1, 2], [True, True, False, False])["reward_accuracy"] == 1


def test_without_a_clear_choice_there_is_no_accuracy() -> None:
    found = figures([2, -1, -1, 0], [True, False, False, False])
    assert np.isnan(found["reward_accuracy"])
    assert (found["reward_pairs"], found["reward_ties"]) == (0, 1)


def test_soft_labels_are_compared_as_preferences() -> None:
    expected = soft_log_loss(np.array([0.75, 0.25, 0.65, 0.5]), np.array([0.9, 0.1, 0.1, 0.5])).mean()
    assert figures([-1] * 4, [False] * 4)["reward_log_loss"] == pytest.approx(expected)


def test_what_it_goes_by_is_told_by_kind_in_log_odds() -> None:
    found = figures([-1] * 4, [False] * 4, head=head(2.0, 0.5))
    assert found["reward_spread/embedding"] == pytest.approx(3 * 2.0)
    assert found["reward_spread/style"] == pytest.approx(len(STYLE) * 0.5)
