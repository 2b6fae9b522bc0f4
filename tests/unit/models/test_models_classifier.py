"""The linear head: soft labels, groups, bins."""

import numpy as np
import pytest

from models.classifier import (
    STRENGTHS,
    LinearHead,
    choose_strength,
    classify_by_fold,
    fit_classifier,
    fit_fold_heads,
    symbols,
)
from models.folds import grouped_folds


def clusters(n: int = 300, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of length 1 around one direction a class, and the classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_classes, n)
    vectors = np.eye(8)[labels] + random.normal(0, 0.35, (n, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def fit(vectors: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> LinearHead:
    return fit_classifier(vectors, targets, weights, strength=4.0)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_head_learns_clusters_and_predicts_as_scikit_learn_does(n_classes: int) -> None:
    from sklearn.linear_model import LogisticRegression

    vectors, labels = clusters(n_classes=n_classes)
    head = fit_classifier(vectors, np.eye(n_classes)[labels], np.ones(300), strength=4.0)
    assert head.weights.shape == (n_classes, 8)
    assert head.weights.dtype == head.bias.dtype == np.float32
    proba = head.predict_proba(vectors)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    peer = LogisticRegression(C=4.0).fit(
        np.concatenate([vectors, np.zeros((n_classes, 8))]),
        np.concatenate([labels, np.arange(n_classes)]),
        sample_weight=np.concatenate([np.ones(300), np.full(n_classes, 0.5)]),
    )
    np.testing.assert_allclose(proba, peer.predict_proba(vectors), atol=0.01)


def test_soft_labels_are_learned_as_shares() -> None:
    """The same vector with a soft label of .8 is predicted as .8."""
    vectors = np.tile(np.eye(4, dtype=np.float32)[:1], (400, 1))
    head = fit_classifier(vectors, np.tile([0.2, 0.8], (400, 1)), np.ones(400), strength=64.0)
    assert head.predict_proba(vectors[:1])[0, 1] == pytest.approx(0.8, abs=0.02)


def test_a_class_that_nobody_saw_stays_possible() -> None:
    vectors, labels = clusters(n_classes=2)
    head = fit_classifier(vectors, np.eye(3)[labels], np.ones(300), strength=4.0)
    proba = head.predict_proba(vectors)
    assert (proba[:, 2] > 0).all()
    assert proba[:, 2].max() < 0.2


def test_items_of_no_weight_teach_nothing() -> None:
    vectors, labels = clusters()
    weights = np.where(np.arange(300) < 150, 1.0, 0.0)
    turned = np.where(weights > 0, labels, (labels + 1) % 3)
    head = fit_classifier(vectors, np.eye(3)[turned], weights, strength=4.0)
    half = fit_classifier(vectors[:150], np.eye(3)[labels[:150]], np.ones(150), strength=4.0)
    np.testing.assert_allclose(head.weights, half.weights, atol=1e-5)
    with pytest.raises(ValueError, match="no item has any weight"):
        fit_classifier(vectors, np.eye(3)[labels], np.zeros(300))


def test_cross_validation_by_group_is_not_fooled_by_copies() -> None:
    """Labels that only copies share: grouped folds see noise and choose the strongest restraint."""
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 8)
    vectors = random.normal(size=(40, 30))[groups].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    targets = np.eye(2)[random.integers(0, 2, 40)[groups]]
    assert choose_strength(vectors, targets, np.ones(320), groups) == STRENGTHS[0]
    assert choose_strength(vectors, targets, np.ones(320)) == STRENGTHS[-1]


def test_out_of_fold_predictions_never_see_their_own_fold() -> None:
    """Each fold's targets are wrong in that fold itself: nothing of it may come through."""
    vectors, labels = clusters()
    folds = np.arange(300) % 3
    targets = [np.eye(3)[np.where(folds == fold, (labels + 1) % 3, labels)] for fold in range(3)]
    heads = fit_fold_heads(vectors, targets, [np.ones(300)] * 3, folds, fit)
    proba = classify_by_fold(heads, vectors, folds)
    assert (proba.argmax(axis=1) == labels).mean() > 0.9


def test_a_fold_whose_others_are_empty_has_a_head_that_says_nothing() -> None:
    vectors, labels = clusters(30)
    heads = fit_fold_heads(vectors, [np.eye(3)[labels]] * 2, [np.ones(30)] * 2, np.zeros(30, int), fit)
    np.testing.assert_allclose(heads[0].predict_proba(vectors), 1 / 3)
    assert heads[1].predict_proba(vectors).max() > 0.5


def test_symbols_join_label_and_confidence_bin() -> None:
    proba = np.array([[0.55, 0.45], [0.3, 0.7], [0.1, 0.9], [0.975, 0.025], [0.625, 0.375]])
    assert symbols(proba, (0.625, 0.775, 0.9)).tolist() == [0, 5, 7, 3, 1]


def test_a_head_refuses_vectors_of_another_length() -> None:
    head = LinearHead(np.zeros((2, 4), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="vectors of length 4"):
        head.predict_proba(np.zeros((1, 5), np.float32))
    with pytest.raises(ValueError, match="do not fit"):
        LinearHead(np.zeros((2, 4), np.float32), np.zeros(3, np.float32))


def test_folds_keep_groups_together_and_are_of_one_size() -> None:
    groups = np.random.default_rng(0).integers(0, 100, 400)
    folds = grouped_folds(groups, 5, seed=3)
    assert all(len(set(folds[groups == group])) == 1 for group in range(100))
    assert [len(set(groups[folds == fold])) for fold in range(5)] == [20] * 5
    assert (folds != grouped_folds(groups, 5, seed=4)).any()
    assert (folds == grouped_folds(groups, 5, seed=3)).all()
