"""The Bradley-Terry reward model: antisymmetry, soft labels, grouped choice of strength, bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import reward_model
from models.archive import DamagedBundle, pack
from models.arrays import F8, I8
from models.reward_model import STRENGTHS, RewardModel, choose_strength, sigmoid, soft_log_loss

TRUE_REWARD = np.array([1.5, -1.0, 0.5, 0.0])


def pairs(n: int = 2_000, seed: int = 0) -> tuple[F8, F8, F8, I8]:
    """Features of both responses, their true preference under TRUE_REWARD, and prompts of four pairs each."""
    random = np.random.default_rng(seed)
    first, second = random.normal(size=(2, n, len(TRUE_REWARD)))
    return first, second, sigmoid((first - second) @ TRUE_REWARD), np.arange(n) // 4


def fitted(**options: object) -> RewardModel:
    first, second, preferred, groups = pairs(200)
    return RewardModel.fit(first, second, preferred, groups, strength=0.1, **options)  # type: ignore[arg-type]


def test_a_known_linear_reward_is_recovered_from_soft_labels() -> None:
    first, second, preferred, groups = pairs()
    model = RewardModel.fit(first, second, preferred, groups, strength=10.0)
    np.testing.assert_allclose(model.weights / model.scale, TRUE_REWARD, atol=0.03)


def test_a_known_linear_reward_is_recovered_from_drawn_answers() -> None:
    first, second, preferred, groups = pairs()
    answers = (np.random.default_rng(1).random(len(preferred)) < preferred).astype(np.float64)
    model = RewardModel.fit(first, second, answers, groups)
    unseen_first, unseen_second, truth, _ = pairs(seed=2)
    predicted = model.predict_proba(unseen_first, unseen_second)
    assert soft_log_loss(predicted, truth).mean() < soft_log_loss(truth, truth).mean() + 0.01


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
@settings(max_examples=30, deadline=None)
def test_turning_a_pair_around_turns_the_prediction_around(seed: int, size: float) -> None:
    a, b = np.random.default_rng(seed).normal(0, size, (2, 5, len(TRUE_REWARD)))
    model = RewardModel(TRUE_REWARD, np.array([1.0, 2.0, 0.5, 3.0]), 1.0)
    np.testing.assert_allclose(model.predict_proba(a, b), 1 - model.predict_proba(b, a), atol=1e-12)


def test_the_order_in_which_pairs_are_given_changes_nothing_that_is_learned() -> None:
    first, second, preferred, groups = pairs(200)
    turned = RewardModel.fit(second, first, 1 - preferred, groups, strength=0.1)
    np.testing.assert_allclose(turned.weights, fitted().weights, atol=1e-4)


def test_predictions_follow_from_scores() -> None:
    first, second, _, _ = pairs(50)
    model = fitted()
    expected = sigmoid(model.score(first) - model.score(second))
    np.testing.assert_array_equal(model.predict_proba(first, second), expected)


def test_ties_alone_teach_that_nothing_is_better() -> None:
    first, second, _, groups = pairs(100)
    model = RewardModel.fit(first, second, np.full(100, 0.5), groups)
    np.testing.assert_allclose(model.predict_proba(first, second), 0.5, atol=1e-6)


def test_one_sided_preferences_can_be_learned() -> None:
    first, second, _, groups = pairs(100)
    first[:, 0] = second[:, 0] + 1
    model = RewardModel.fit(first, second, np.ones(100), groups, strength=1.0)
    assert (model.predict_proba(first, second) > 0.5).mean() > 0.95


def test_kinds_of_features_count_alike_whatever_their_numbers() -> None:
    """A kind of one useful feature beside many useless ones is not drowned by them."""
    first, second, preferred, groups = pairs(200)
    noise = np.random.default_rng(9).normal(size=(2, 200, 300))
    a, b = np.hstack([first, noise[0]]), np.hstack([second, noise[1]])
    kinds = np.repeat([1, 0], [len(TRUE_REWARD), 300])
    unseen = pairs(seed=2)
    noise = np.random.default_rng(10).normal(size=(2, 2_000, 300))
    losses = []
    for told in (kinds, None):
        model = RewardModel.fit(a, b, preferred, groups, kinds=told)
        said = model.predict_proba(np.hstack([unseen[0], noise[0]]), np.hstack([unseen[1], noise[1]]))
        losses.append(soft_log_loss(said, unseen[2]).mean())
    assert losses[0] < losses[1] - 0.05


def test_the_units_of_a_feature_do_not_matter() -> None:
    first, second, preferred, groups = pairs(200)
    units = np.array([1_000.0, 1.0, 0.001, 1.0])
    model = RewardModel.fit(first * units, second * units, preferred, groups, strength=0.1)
    expected = fitted().predict_proba(first, second)
    np.testing.assert_allclose(model.predict_proba(first * units, second * units), expected, atol=1e-3)


def test_a_feature_that_never_varies_is_harmless() -> None:
    first, second, preferred, groups = pairs(100)
    first[:, 3] = second[:, 3] = 7.0
    model = RewardModel.fit(first, second, preferred, groups, strength=0.1)
    assert np.isfinite(model.predict_proba(first, second)).all()
    assert model.weights[3] == pytest.approx(0, abs=1e-6)


def test_pairs_of_no_weight_teach_nothing() -> None:
    first, second, preferred, groups = pairs(200)
    weights = np.where(np.arange(200) < 100, 1.0, 0.0)
    spoiled = np.where(weights > 0, preferred, 1 - preferred)
    model = RewardModel.fit(first, second, spoiled, groups, weights, strength=0.1)
    alone = RewardModel.fit(first[:100], second[:100], preferred[:100], groups[:100], strength=0.1)
    np.testing.assert_allclose(model.weights, alone.weights, atol=1e-6)


def test_the_choice_of_strength_never_parts_the_pairs_of_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[I8] = []

    def keep(difference: F8, preferred: F8, weights: F8, folds: I8, strength: float) -> float:
        seen.append(folds)
        return strength

    monkeypatch.setattr(reward_model, "_held_out_loss", keep)
    groups = np.random.default_rng(0).permutation(np.arange(60) % 12)
    choose_strength(np.zeros((60, 2)), np.full(60, 0.5), groups, np.ones(60))
    assert len(seen) == len(STRENGTHS)
    for folds in seen:
        assert len(np.unique(folds)) > 1
        assert all(len(np.unique(folds[groups == group])) == 1 for group in range(12))


def test_what_holds_within_prompts_only_is_not_believed() -> None:
    """A feature that marks each prompt's better response is of no use on other prompts."""
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 5)
    better = random.choice([-1.0, 1.0], 40)[groups]
    marks = np.eye(40)[groups] * better[:, None]
    assert choose_strength(marks * 6, (better > 0).astype(float), groups, np.ones(200)) == STRENGTHS[0]
    each_its_own = choose_strength(marks * 6, (better > 0).astype(float), np.arange(200), np.ones(200))
    assert each_its_own == STRENGTHS[-1]


def test_a_single_prompt_gives_the_most_careful_strength() -> None:
    first, second, preferred, _ = pairs(30)
    model = RewardModel.fit(first, second, preferred, np.zeros(30, np.int64))
    assert model.strength == STRENGTHS[0]


def test_bytes_give_the_same_model_back() -> None:
    model = fitted(about='{"encoder": "all-MiniLM-L6-v2"}')
    read = RewardModel.from_bytes(model.to_bytes())
    first, second, _, _ = pairs(20)
    np.testing.assert_array_equal(read.predict_proba(first, second), model.predict_proba(first, second))
    assert (read.strength, read.about) == (model.strength, model.about)
    assert read.to_bytes() == model.to_bytes()


@pytest.mark.parametrize("data", [b"nothing", pack({"weights": np.zeros(2)})])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedBundle):
        RewardModel.from_bytes(data)


@given(st.floats(0, 1), st.floats(0, 1))
def test_cross_entropy_is_least_at_the_soft_label_itself(preferred: float, predicted: float) -> None:
    told, guess = np.array([preferred]), np.array([predicted])
    assert soft_log_loss(told, told)[0] <= soft_log_loss(guess, told)[0] + 1e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preferred": np.array([0.5, 1.5, 0.2])}, "probabilities in"),
        ({"preferred": np.array([0.5, 0.5])}, "preferred has shape"),
        ({"second": np.zeros((3, 5))}, "features of shape"),
        ({"groups": np.zeros(4, np.int64)}, "groups has shape"),
        ({"weights": np.zeros(3)}, "no pair has any weight"),
        ({"kinds": np.zeros(3, np.int64)}, "kinds has shape"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(change: dict[str, F8], message: str) -> None:
    whole = {
        "first": np.zeros((3, 2)),
        "second": np.ones((3, 2)),
        "preferred": np.full(3, 0.5),
        "groups": np.arange(3),
    }
    with pytest.raises(ValueError, match=message):
        RewardModel.fit(**(whole | change))


def test_features_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="knows 4 features"):
        fitted().score(np.zeros((2, 3)))
