"""Bradley-Terry with ties as a linear head: antisymmetry, soft labels, kinds, grouped choice of strength."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import pair_classifier
from models.arrays import F8, I8, softmax
from models.pair_classifier import (
    choose_pair_strength,
    cross_entropy,
    fit_pairs,
    reward_weights,
)
from models.reward_model import STRENGTHS

TRUE_REWARD = np.array([1.5, -1.0, 0.5, 0.0])
LOG_TIES = -0.4
ONE_KIND = np.zeros(len(TRUE_REWARD), np.int64)


def truth_of(differences: F8) -> F8:
    half = differences @ TRUE_REWARD / 2
    return softmax(np.stack([half, -half, np.full(len(half), LOG_TIES)], axis=1))


def pairs(n: int = 2_000, seed: int = 0) -> tuple[F8, F8, I8]:
    """Differences, their true probabilities, and prompts of four pairs each."""
    differences = np.random.default_rng(seed).normal(size=(n, len(TRUE_REWARD)))
    return differences, truth_of(differences), np.arange(n) // 4


def test_a_known_reward_and_the_share_of_ties_are_recovered_from_soft_labels() -> None:
    differences, targets, _ = pairs()
    head = fit_pairs(differences, targets, np.ones(2_000), ONE_KIND, strength=100.0)
    np.testing.assert_allclose(reward_weights(head), TRUE_REWARD, atol=0.02)
    np.testing.assert_allclose(head.bias, [0, 0, LOG_TIES], atol=0.01)
    np.testing.assert_allclose(head.predict_proba(differences.astype(np.float32)), targets, atol=0.01)


def test_it_predicts_as_drawn_answers_are_drawn() -> None:
    differences, probabilities, groups = pairs()
    random = np.random.default_rng(1)
    answers = np.array([random.choice(3, p=row) for row in probabilities])
    weights = np.ones(2_000)
    strength = choose_pair_strength(differences, np.eye(3)[answers], weights, groups, ONE_KIND)
    head = fit_pairs(differences, np.eye(3)[answers], weights, ONE_KIND, strength)
    unseen, truth, _ = pairs(seed=2)
    said = head.predict_proba(unseen.astype(np.float32))
    assert cross_entropy(said, truth).mean() < cross_entropy(truth, truth).mean() + 0.01


def test_the_gradient_leads_to_the_minimum() -> None:
    """At what was found, no small step in any direction lowers the loss as it is stated."""
    random = np.random.default_rng(3)
    differences = random.normal(size=(60, 3))
    targets, weights = random.dirichlet(np.ones(3), 60), random.random(60)
    scaled = differences / pair_classifier.spread(differences, np.zeros(3, np.int64))
    reward, log_ties = pair_classifier._fit(scaled, targets, weights, 0.7)

    def loss(parameters: F8) -> float:
        logits = pair_classifier._logits(scaled @ parameters[:3], parameters[3])
        prior = softmax(np.array([[0.0, 0.0, parameters[3]]]))
        fit = weights @ cross_entropy(softmax(logits), targets)
        fit += pair_classifier.PRIOR_WEIGHT * cross_entropy(prior, np.full((1, 3), 1 / 3))[0]
        return float(fit + parameters[:3] @ parameters[:3] / (2 * 0.7))

    found = np.append(reward, log_ties)
    for step in np.eye(4) * 1e-3:
        assert loss(found + step) > loss(found) - 1e-9
        assert loss(found - step) > loss(found) - 1e-9


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 30.0))
@settings(max_examples=30, deadline=None)
def test_turning_a_pair_around_swaps_a_and_b_and_leaves_the_tie(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    differences = random.normal(0, size, (20, 4)).astype(np.float32)
    head = fit_pairs(differences, random.dirichlet(np.ones(3), 20), np.ones(20), ONE_KIND, 1.0)
    turned = head.predict_proba(-differences)
    np.testing.assert_allclose(turned, head.predict_proba(differences)[:, [1, 0, 2]], atol=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_order_in_which_pairs_are_given_changes_nothing_that_is_learned(seed: int) -> None:
    random = np.random.default_rng(seed)
    differences, targets = random.normal(size=(50, 4)), random.dirichlet(np.ones(3), 50)
    turn = random.random(50) < 0.5
    other_targets = np.where(turn[:, None], targets[:, [1, 0, 2]], targets)
    other = np.where(turn[:, None], -differences, differences)
    one = fit_pairs(differences, targets, np.ones(50), ONE_KIND, 1.0)
    two = fit_pairs(other, other_targets, np.ones(50), ONE_KIND, 1.0)
    np.testing.assert_allclose(one.weights, two.weights, atol=1e-3)
    np.testing.assert_allclose(one.bias, two.bias, atol=1e-3)


def test_equal_responses_are_neither_better() -> None:
    differences, targets, _ = pairs(200)
    head = fit_pairs(differences, targets, np.ones(200), ONE_KIND, 1.0)
    a, b, tie = head.predict_proba(np.zeros((1, 4), np.float32))[0]
    assert a == b
    assert tie == pytest.approx(np.exp(LOG_TIES) / (2 + np.exp(LOG_TIES)), abs=0.02)


@pytest.mark.parametrize("said", [0, 1, 2])
def test_a_class_that_nobody_chose_stays_possible(said: int) -> None:
    differences, _, _ = pairs(100)
    targets = np.tile(np.eye(3)[said], (100, 1))
    proba = fit_pairs(differences, targets, np.ones(100), ONE_KIND, 1.0).predict_proba(
        np.zeros((1, 4), np.float32)
    )
    assert proba.min() > 0.001


def test_kinds_of_features_count_alike_whatever_their_numbers_and_units() -> None:
    """A kind of one useful feature beside 300 useless ones is not drowned by them."""
    differences, targets, _ = pairs(200)
    noise = np.random.default_rng(9).normal(0, 5.0, (200, 300))
    wide = np.hstack([noise, differences[:, :1] / 100])
    apart = (np.arange(301) >= 300).astype(np.int64)

    def loss(kinds: I8) -> float:
        head = fit_pairs(wide[:150], targets[:150], np.ones(150), kinds, 0.1)
        return float(cross_entropy(head.predict_proba(wide[150:].astype(np.float32)), targets[150:]).mean())

    assert loss(apart) < loss(np.zeros(301, np.int64)) - 0.02


def test_pairs_of_no_weight_teach_nothing() -> None:
    differences, targets, _ = pairs(200)
    weights = np.where(np.arange(200) < 120, 1.0, 0.0)
    spoiled = targets.copy()
    spoiled[120:] = [0.0, 1.0, 0.0]
    one = fit_pairs(differences, spoiled, weights, ONE_KIND, 1.0)
    two = fit_pairs(differences[:120], targets[:120], np.ones(120), ONE_KIND, 1.0)
    np.testing.assert_array_equal(one.weights, two.weights)


def test_what_holds_within_prompts_only_is_not_believed() -> None:
    """Random labels, the same for all pairs of a prompt that look alike: other prompts learn nothing."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 8)
    differences = random.normal(size=(40, 30))[groups]
    targets = np.eye(3)[random.integers(0, 2, 40)[groups]]
    kinds = np.zeros(30, np.int64)
    assert choose_pair_strength(differences, targets, np.ones(320), groups, kinds) == STRENGTHS[0]
    assert choose_pair_strength(differences, targets, np.ones(320), np.arange(320), kinds) > STRENGTHS[0]


def test_a_single_prompt_gives_the_most_careful_strength() -> None:
    differences, targets, _ = pairs(20)
    alone = choose_pair_strength(differences, targets, np.ones(20), np.zeros(20, np.int64), ONE_KIND)
    assert alone == STRENGTHS[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kinds": np.zeros(3, np.int64)}, "kinds"),
        ({"targets": np.ones((10, 2)) / 2}, "targets"),
        ({"weights": np.ones(9)}, "weights"),
        ({"weights": np.zeros(10)}, "no pair has any weight"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(change: dict[str, F8], message: str) -> None:
    differences, targets, _ = pairs(10)
    given_: dict[str, object] = {
        "differences": differences,
        "targets": targets,
        "weights": np.ones(10),
        "kinds": ONE_KIND,
        "strength": 1.0,
        **change,
    }
    with pytest.raises(ValueError, match=message):
        fit_pairs(**given_)  # type: ignore[arg-type]
