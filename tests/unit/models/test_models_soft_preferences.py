"""Soft preference labels: bounds, ties, what people and judges add."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import UNKNOWN
from models.label_model.priors import Priors
from models.soft_preferences import (
    PREFERS_A,
    PREFERS_B,
    TIE,
    clear_preferences,
    preference_posterior,
    soft_preferences,
    with_answers,
)
from models.votes import Votes


def judged(n: int, accuracies: tuple[float, ...], seed: int = 0) -> tuple[Votes, np.ndarray]:
    """Votes of judges that are right so often, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.choice(3, n, p=(0.45, 0.45, 0.1))
    said = [np.where(random.random(n) < a, truth, (truth + random.integers(1, 3, n)) % 3) for a in accuracies]
    pairs, workers = np.repeat(np.arange(n), len(said)).tolist(), [f"j{j}" for j in range(len(said))] * n
    return Votes.from_table(pairs, workers, np.stack(said, axis=1).ravel(), 3, tier="judge")[0], truth


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
@settings(max_examples=50)
def test_soft_labels_lie_between_0_and_1_and_turn_with_the_pair(seed: int, n: int) -> None:
    posterior = np.random.default_rng(seed).dirichlet(np.ones(3), n)
    soft = soft_preferences(posterior)
    assert ((soft >= 0) & (soft <= 1)).all()
    turned = posterior[:, [PREFERS_B, PREFERS_A, TIE]]
    np.testing.assert_allclose(soft_preferences(turned), 1 - soft, atol=1e-12)


def test_a_sure_tie_is_a_half() -> None:
    np.testing.assert_array_equal(soft_preferences(np.eye(3)), [1.0, 0.0, 0.5])


def test_given_that_there_is_no_tie_ties_say_nothing() -> None:
    posterior = np.array([[0.3, 0.1, 0.6], [0.75, 0.25, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(clear_preferences(posterior), [0.75, 0.75, 0.5])


def test_gold_teaches_which_judge_to_believe() -> None:
    votes, truth = judged(600, (0.9, 0.4))
    gold = np.where(np.arange(600) < 150, truth, UNKNOWN)
    posterior = preference_posterior(votes, gold)
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    assert (posterior.argmax(axis=1) == truth)[150:].mean() > 0.85


def test_without_gold_stated_accuracies_stand() -> None:
    votes, truth = judged(300, (0.9, 0.9, 0.9))
    posterior = preference_posterior(votes, np.full(300, UNKNOWN), Priors({"judge": 0.9}))
    assert (posterior.argmax(axis=1) == truth).mean() > 0.9


def test_a_persons_answer_follows_bayes_rule_and_no_answer_changes_nothing() -> None:
    posterior = np.array([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    after = with_answers(posterior, np.array([PREFERS_B, UNKNOWN]), 0.8)
    joint = np.array([0.5 * 0.1, 0.4 * 0.8, 0.1 * 0.1])
    np.testing.assert_allclose(after[0], joint / joint.sum())
    np.testing.assert_allclose(after[1], posterior[1])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        soft_preferences(np.ones((2, 2)))
    with pytest.raises(ValueError, match="accuracy"):
        with_answers(np.ones((1, 3)) / 3, np.array([0]), 1.0)
