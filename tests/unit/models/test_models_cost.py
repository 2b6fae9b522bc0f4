"""Decisions by expected cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cost import best_label, cost_matrix, distances, risk, zero_one

CLASSES = ("ham", "spam", "scam")


def posterior(seed: int, n: int = 40, k: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.5), n)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 6))
def test_without_a_matrix_every_error_costs_one(seed: int, k: int) -> None:
    rows = posterior(seed, k=k)
    np.testing.assert_allclose(risk(rows), 1 - rows.max(axis=1))
    np.testing.assert_allclose(risk(rows, zero_one(k)), risk(rows), atol=1e-12)
    np.testing.assert_array_equal(best_label(rows, zero_one(k)), best_label(rows))


def test_a_dear_error_is_avoided_where_it_is_likely_enough() -> None:
    # to call spam ham costs 1, to call ham spam costs 4: spam must be more than four times as likely
    cost = cost_matrix(("ham", "spam"), {"ham": {"spam": 4.0}})
    rows = np.array([[0.3, 0.7], [0.19, 0.81], [0.9, 0.1]])
    assert best_label(rows, cost).tolist() == [0, 1, 0]
    np.testing.assert_allclose(risk(rows, cost), [0.7, 0.76, 0.1])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 7))
def test_on_a_scale_the_median_costs_least(seed: int, k: int) -> None:
    rows = posterior(seed, k=k)
    medians = (rows.cumsum(axis=1) >= 0.5).argmax(axis=1)
    np.testing.assert_array_equal(best_label(rows, distances(k)), medians)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_label_costs_less_than_the_best(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost = random.random((3, 3)) * (1 - np.eye(3))
    rows = posterior(seed)
    each = np.stack([[row @ cost[label] for label in range(3)] for row in rows])
    np.testing.assert_allclose(risk(rows, cost), each.min(axis=1))
    np.testing.assert_array_equal(best_label(rows, cost), each.argmin(axis=1))


def test_the_matrix_names_what_is_decided_first() -> None:
    cost = cost_matrix(CLASSES, {"scam": {"ham": 9.0, "spam": 2.0}})
    assert cost.tolist() == [[0, 1, 9], [1, 0, 2], [1, 1, 0]]


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"ham": {"egg": 1.0}}, "egg unknown; the classes are ham, spam, scam"),
        ({"egg": {"ham": 1.0}}, "egg unknown"),
        ({"ham": {"ham": 1.0}}, "only errors cost"),
        ({"ham": {"spam": -1.0}}, "0 or more"),
    ],
)
def test_wrong_costs_are_refused(costs: dict[str, dict[str, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cost_matrix(CLASSES, costs)


def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="3 classes"):
        risk(posterior(0), zero_one(2))
