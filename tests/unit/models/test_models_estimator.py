"""The scikit-learn-like door: matrices and tables, more of them later, and its docstring's example."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import UNKNOWN
from models.label_model import estimator
from models.label_model.counts import UNLABELED_SAMPLE, merge_rows, sample
from models.label_model.estimator import LabelAggregator
from models.label_model.hbcc import HBCC
from models.label_model.registry import LABEL_MODELS
from models.votes import Votes

TABLE = {
    "task": ["a", "a", "a", "b", "b", "c", "c"],
    "worker": ["x", "y", "z", "x", "y", "y", "z"],
    "label": ["cat", "cat", "dog", "dog", "dog", "cat", "cat"],
}


def world(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label matrix of four functions, known labels of 40 items, truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, n)
    said = [np.where(random.random(n) < a, truth, 1 - truth) for a in (0.9, 0.8, 0.7, 0.6)]
    matrix = np.stack([np.where(random.random(n) < 0.7, column, -1) for column in said], axis=1)
    y = np.where(np.arange(n) < 40, truth, UNKNOWN)
    return matrix, y, truth


def test_the_example_of_the_docstring_is_true() -> None:
    assert doctest.testmod(estimator).failed == 0


@pytest.mark.parametrize("name", LABEL_MODELS)
def test_every_model_serves_matrices(name: str) -> None:
    matrix, y, truth = world(1)
    aggregator = LabelAggregator(name).fit(matrix, y)
    proba = aggregator.predict_proba(matrix)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (aggregator.predict(matrix) == truth).mean() > 0.75
    assert (aggregator.predict(matrix) == proba.argmax(axis=1)).all()


def test_a_matrix_gives_what_the_model_gives_on_its_votes() -> None:
    matrix, y, _ = world(2)
    votes = Votes.from_dense(matrix, [f"function:{j}" for j in range(4)], 2)
    expected = HBCC().fit(votes, 2, y).predict_proba(votes)
    np.testing.assert_allclose(
        LabelAggregator("hbcc").fit(matrix, y).predict_proba(matrix), expected, atol=1e-6
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 300), max_size=3))
def test_batches_teach_what_all_teach_at_once(seed: int, cuts: list[int]) -> None:
    matrix, y, _ = world(seed)
    whole = LabelAggregator("hbcc").fit(matrix, y)
    parts = LabelAggregator("hbcc", n_classes=2)
    for rows in np.split(np.arange(300), sorted(cuts)):
        parts.partial_fit(matrix[rows], y[rows])
    np.testing.assert_allclose(parts.predict_proba(matrix), whole.predict_proba(matrix), atol=1e-6)


def test_fit_forgets_what_was_seen() -> None:
    matrix, y, _ = world(3)
    again = LabelAggregator("hbcc").fit(1 - matrix.clip(0), None).fit(matrix, y)
    fresh = LabelAggregator("hbcc").fit(matrix, y)
    np.testing.assert_allclose(again.predict_proba(matrix), fresh.predict_proba(matrix))


@pytest.mark.parametrize("name", ["majority", "dawid_skene", "hbcc", "weighted_vote", "pool"])
def test_every_model_that_holds_people_serves_tables(name: str) -> None:
    aggregator = LabelAggregator(name).fit(TABLE, {"b": "dog"})
    assert aggregator.classes == ["cat", "dog"]
    assert aggregator.tasks(TABLE) == ["a", "b", "c"]
    assert aggregator.predict(TABLE).tolist() == ["cat", "dog", "cat"]


def test_a_data_frame_serves_as_a_table() -> None:
    import pandas as pd

    people = LabelAggregator("hbcc").fit(pd.DataFrame(TABLE))
    expected = LabelAggregator("hbcc").fit(TABLE).predict_proba(TABLE)
    np.testing.assert_allclose(people.predict_proba(pd.DataFrame(TABLE)), expected)


def test_new_workers_come_with_new_batches_and_unseen_ones_count_by_the_priors() -> None:
    people = LabelAggregator("majority").fit(TABLE)
    stranger = {"task": ["d"], "worker": ["new"], "label": ["dog"]}
    np.testing.assert_allclose(people.predict_proba(stranger), [[0.25, 0.75]])
    people.partial_fit(stranger)
    assert "tier:crowd@new" in people.members()[0].tables


def test_known_labels_of_a_table_teach() -> None:
    n = 200
    truth = np.arange(n) % 2
    table = {"task": list(range(n)), "worker": ["liar"] * n, "label": (1 - truth).tolist()}
    taught = LabelAggregator("hbcc").fit(table, dict(enumerate(truth.tolist())))
    assert (taught.predict(table) == truth).all()


@pytest.mark.parametrize(
    ("votes", "y", "message"),
    [
        (np.zeros((2, 2)), None, "integers needed"),
        (np.zeros(3, int), None, "integers needed"),
        (np.zeros((2, 2), int), [0], "expected one label for each of 2 rows"),
        (TABLE, {"nobody": "cat"}, "nobody voted on task 'nobody'"),
    ],
)
def test_input_that_does_not_fit_is_refused(votes: object, y: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelAggregator("hbcc").fit(votes, y)  # type: ignore[arg-type]


def test_what_cannot_be_answered_is_said() -> None:
    with pytest.raises(ValueError, match="there is no 'best'"):
        LabelAggregator("best")
    with pytest.raises(ValueError, match="fit it first"):
        LabelAggregator("hbcc").predict(np.zeros((1, 1), int))
    people = LabelAggregator("hbcc").fit(TABLE)
    with pytest.raises(ValueError, match="label 'bird' is none of the classes"):
        people.partial_fit({"task": ["d"], "worker": ["x"], "label": ["bird"]})
    with pytest.raises(ValueError, match="fit knew 4 columns"):
        LabelAggregator("hbcc").fit(world(4)[0]).predict(np.zeros((1, 5), int))


def test_equal_rows_are_counted_once_where_that_pays() -> None:
    matrix = np.array([[0, -1], [1, 1], [0, -1], [0, -1], [1, 1]])
    rows, counted = merge_rows(matrix, np.array([-1, -1, -1, 0, -1]))
    found = sorted(
        (*matrix[row].tolist(), weight, row == 3) for row, weight in zip(rows, counted, strict=True)
    )
    assert found == [(0, -1, 1.0, True), (0, -1, 2.0, False), (1, 1, 2.0, False)]


def test_rows_that_hardly_repeat_are_sampled_with_all_gold() -> None:
    random = np.random.default_rng(0)
    matrix = random.integers(-1, 2, (2 * UNLABELED_SAMPLE, 30), np.int8)
    gold = np.full(len(matrix), UNKNOWN)
    gold[-7:] = 1
    rows, counted = merge_rows(matrix, gold)
    assert (len(rows), counted.sum()) == (UNLABELED_SAMPLE + 7, UNLABELED_SAMPLE + 7)
    assert set(range(len(matrix) - 7, len(matrix))) <= set(rows.tolist())


def test_many_unlabeled_items_count_for_no_more_than_a_full_sample() -> None:
    rows, counted = sample(np.array([-1, 0, -1]), np.array([1e6, 1.0, 3e6]))
    assert rows.tolist() == [0, 1, 2]
    np.testing.assert_allclose(counted, [UNLABELED_SAMPLE / 4, 1, 3 * UNLABELED_SAMPLE / 4])


def test_votes_of_two_sets_of_items_are_joined_by_annotator() -> None:
    one = Votes.of_one("tier:a@x", np.array([0, 1]), 2)
    two = Votes(1, ("tier:a@y", "tier:a@x"), (2, 2), np.array([0, 0]), np.array([0, 1]), np.array([1, 0]))
    joined = Votes.concat_items(one, two)
    assert joined.annotators == ("tier:a@x", "tier:a@y")
    said = zip(joined.row.tolist(), joined.annotator.tolist(), joined.symbol.tolist(), strict=True)
    assert sorted(said) == [(0, 0, 0), (1, 0, 1), (2, 0, 0), (2, 1, 1)]
    with pytest.raises(ValueError, match="has 2 symbols in one set, 3 in the other"):
        Votes.concat_items(one, Votes.of_one("tier:a@x", np.array([2]), 3))
