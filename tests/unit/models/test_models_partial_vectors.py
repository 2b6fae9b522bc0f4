"""Items without a vector: the classifier learns from the others, and votes on the others alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.any_training import predict_any, train_any
from models.arrays import present
from models.classifier import symbols
from models.cross_classifier import train_classifier
from models.folds import fold_of
from models.response_style import STYLE
from models.set_bundle import APPLIES
from models.set_training import SetData
from models.training import FEWEST_TYPICAL, TrainingData, TrainingOptions
from models.votes import CLASSIFIER, UNSAID, Votes

CLASSES = ("ham", "spam")
KEYS = tuple(f"function:f{j}@0" for j in range(4))
MAJORITY = TrainingOptions(label_models=("majority",))


def stream(n: int = 400, audits: int = 80, missing: float = 0.6, seed: int = 0) -> TrainingData:
    """Informative votes and vectors; where votes are of one mind, vectors are missing as often as told."""
    random = np.random.default_rng(seed)
    truth = (random.random(n) < 0.4).astype(np.int64)
    matrix = np.where(random.random((n, 4)) < 0.8, truth[:, None], 1 - truth[:, None])
    matrix[random.random((n, 4)) < 0.4] = -1
    vectors = (np.eye(6)[truth] + random.normal(0, 0.4, (n, 6))).astype(np.float32)
    said = [set(row) - {-1} for row in matrix.tolist()]
    of_one_mind = np.array([len(one) == 1 for one in said])
    vectors[of_one_mind & (random.random(n) < missing)] = np.nan
    audited = np.zeros(n, bool)
    audited[random.permutation(n)[:audits]] = True
    return TrainingData(
        classes=CLASSES,
        votes=Votes.from_dense(matrix, KEYS, 2),
        expert=np.where(audited, truth, -1),
        audited=audited,
        fresh=audited.copy(),
        vectors=vectors,
        groups=np.arange(n),
        tier_accuracy={"crowd": 0.8, "expert": 0.98},
        encoder="tiny",
    )


def test_a_row_with_a_nan_is_no_vector() -> None:
    vectors = np.array([[1, 2], [np.nan, np.nan], [0, np.nan]], np.float32)
    assert present(vectors).tolist() == [True, False, False]


def test_nothing_is_said_where_probabilities_are_nan() -> None:
    said = symbols(np.array([[0.95, 0.05], [np.nan, np.nan], [0.4, 0.6]]))
    assert said.tolist() == [3, UNSAID, 4]
    votes = Votes.of_one(CLASSIFIER, said, 8)
    assert (votes.n_items, votes.row.tolist(), votes.symbol.tolist()) == (3, [0, 2], [3, 4])


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.95))
def test_the_classifier_is_the_one_of_the_encoded_items_alone(seed: int, missing: float) -> None:
    """Nothing of an item without a vector, not even its known label, reaches the heads."""
    random = np.random.default_rng(seed)
    n = 60
    there = random.random(n) >= missing
    there[random.integers(n)] = True
    vectors = random.normal(size=(n, 3)).astype(np.float32)
    vectors[~there] = np.nan
    soft = random.dirichlet([1, 1], n)
    held = [random.dirichlet([1, 1], n) for _ in range(5)]
    expert = np.where(random.random(n) < 0.3, random.integers(0, 2, n), -1)
    groups = np.arange(n)
    whole = train_classifier(vectors, soft, held, expert, groups, fold_of(groups), 1)
    part = train_classifier(
        vectors[there],
        soft[there],
        [one[there] for one in held],
        expert[there],
        groups[there],
        fold_of(groups[there]),
        1,
    )
    for one, other in zip((whole.head, *whole.heads), (part.head, *part.heads), strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-6)
    np.testing.assert_allclose(whole.proba[there], part.proba, atol=1e-6)
    assert np.isnan(whole.proba[~there]).all()
    assert whole.votes.row.tolist() == np.flatnonzero(there).tolist()
    assert whole.votes.symbol.tolist() == part.votes.symbol.tolist()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_an_item_without_a_vector_has_the_posterior_of_its_other_votes(seed: int, missing: float) -> None:
    data = stream(n=150, missing=missing, seed=seed)
    bundle = train_any(data, MAJORITY, None, lambda _: None).bundle
    rows, there = np.arange(data.n_items), data.encoded
    said = predict_any(bundle, data, rows)
    unseen = predict_any(bundle, replace(data, vectors=None), rows)
    np.testing.assert_allclose(said[~there], unseen[~there])
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert bundle.has_classifier


def test_scores_are_honest_where_votes_decide_what_is_encoded() -> None:
    """The curve of scores is learned on items as they are decided: some with the classifier, some without."""
    data = stream(n=6_000, audits=3_000, missing=0.9, seed=3)
    whole = stream(n=6_000, audits=6_000, missing=0.9, seed=3)
    bundle = train_any(data, MAJORITY, None, lambda _: None).bundle
    rest = np.flatnonzero(~data.audited)
    posterior = predict_any(bundle, data, rest)
    right, scores = posterior.argmax(axis=1) == whole.expert[rest], bundle.scores(posterior)
    there = data.encoded[rest]
    assert 0.3 < there.mean() < 0.7
    for own in (there, ~there):
        assert scores[own].mean() == pytest.approx(right[own].mean(), abs=0.03)


def test_the_stream_is_compared_with_typical_vectors_alone() -> None:
    data = stream(n=600)
    typical = data.encoded & (np.arange(600) % 3 == 0)
    recent = np.arange(600) >= 100
    found = train_any(replace(data, typical=typical, recent=recent), MAJORITY, None, lambda _: None)
    assert data.vectors is not None
    np.testing.assert_allclose(
        found.bundle.reference.mean, data.vectors[typical & recent].mean(axis=0), atol=1e-6
    )


def test_too_few_typical_vectors_are_compared_with_nothing() -> None:
    data = stream(n=600)
    typical = np.zeros(600, bool)
    typical[np.flatnonzero(data.encoded)[: FEWEST_TYPICAL - 1]] = True
    found = train_any(replace(data, typical=typical), MAJORITY, None, lambda _: None)
    assert not len(found.bundle.reference.distances)
    assert found.bundle.has_classifier


def test_sets_learn_from_partly_missing_vectors() -> None:
    first = replace(stream(n=200), classes=APPLIES)
    assert first.vectors is not None
    second = replace(first, votes=stream(n=200, seed=1).votes, vectors=first.vectors.copy())
    found = train_any(SetData(("a", "b"), (first, second)), MAJORITY, None, lambda _: None)
    assert found.bundle.has_classifier
    assert found.evaluation.metrics["log_loss"] < 1.0


def test_rewards_are_judged_on_pairs_that_have_a_vector() -> None:
    data = stream(n=200, audits=60)
    random = np.random.default_rng(5)
    features = random.normal(size=(200, 8 + len(STYLE))).astype(np.float32)
    features[~data.encoded] = np.nan
    matrix = np.where(data.votes.symbol.reshape(200, 4) == 2, -1, data.votes.symbol.reshape(200, 4))
    pairs = replace(
        data, classes=("A", "B", "tie"), votes=Votes.from_dense(matrix, KEYS, 3), vectors=features
    )
    found = train_any(pairs, replace(MAJORITY, head="pairs"), None, lambda _: None)
    figures = found.evaluation.metrics
    assert figures["reward_pairs"] == (data.audited & data.encoded).sum() < 60
    assert np.isfinite(figures["reward_log_loss"])


def test_impossible_data_are_refused() -> None:
    data = stream(n=20, audits=5)
    with pytest.raises(ValueError, match="no item has a vector"):
        replace(data, vectors=np.full((20, 6), np.nan, np.float32))
    with pytest.raises(ValueError, match="a typical item has no vector"):
        replace(data, typical=np.ones(20, bool))
