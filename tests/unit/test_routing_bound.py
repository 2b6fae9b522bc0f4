"""What any router could reach, on worlds whose answer is known beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.routing_bound import bounds, informed, true_tables
from benchmarks.routing_worlds import World
from models.votes import Votes

BUDGETS = (0.01, 0.06, 0.24, 0.9)


def world(crowd_right: float) -> World:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400)
    said = np.where(random.random((400, 5)) < crowd_right, truth[:, None], 1 - truth[:, None])
    row = np.repeat(np.arange(400), 5)
    recorded = Votes(400, ("tier:crowd",), (2,), row, np.zeros(2_000, np.int64), said.ravel())
    empty = np.empty(0, np.int64)
    return World("made", truth, 2, Votes(400, (), (), empty, empty, empty), recorded, 0.75)


@pytest.fixture(scope="module")
def useless() -> tuple[np.ndarray, np.ndarray]:
    return bounds(world(0.5), BUDGETS, "pool", 10, 30)


def test_experts_where_labels_are_wrong_are_no_worse_than_experts_by_known_errors(
    useless: tuple[np.ndarray, np.ndarray],
) -> None:
    seen, known = useless
    assert (seen >= known - 0.003).all()


def test_a_crowd_that_tosses_coins_leaves_only_experts_at_their_price(
    useless: tuple[np.ndarray, np.ndarray],
) -> None:
    _, known = useless
    # .057 USD an item asks experts about a tenth of those that count: labels of .90 become ones of .98
    assert known[1] == pytest.approx(0.90 + 0.08 * 0.057 / 0.60 * 400 / 370, abs=0.012)
    assert known[3] == pytest.approx(0.98, abs=0.01)


def test_a_crowd_that_is_always_right_is_known_to_settle_an_item_with_one_vote() -> None:
    _, known = bounds(world(1.0), BUDGETS, "pool", 3, 30)
    assert known[2] == pytest.approx(1.0)
    assert known[1] == pytest.approx(0.99, abs=0.012)


def test_true_tables_are_how_often_each_tier_says_what_of_each_class() -> None:
    made = world(1.0)
    answers = made.answers(0)
    tables = true_tables(made, answers).tables
    np.testing.assert_allclose(np.exp(tables["tier:crowd"]), np.eye(2), atol=0.001)
    right = [(answers["llm"][made.truth == label, 0] == label).mean() for label in (0, 1)]
    np.testing.assert_allclose(np.exp(tables["llm:llm/plain"]).diagonal(), right, atol=0.005)


def test_who_knows_that_the_crowd_lies_reads_the_opposite_out_of_it() -> None:
    # the crowd is stated to be right on three of four, and is wrong always: one vote settles an item
    liars = informed(world(0.0), (0.12,), seeds=2, gold=30)
    assert liars[0] == pytest.approx(1.0, abs=0.002)


def test_true_tables_are_no_bound_where_functions_speak_together() -> None:
    made = world(0.8)
    spoken = replace(made, start=Votes.from_dense(made.truth[:, None], ["function:f"], 2))
    with pytest.raises(ValueError, match="only tiers vote"):
        informed(spoken, BUDGETS, seeds=1, gold=30)
