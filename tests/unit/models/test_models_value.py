"""What votes are worth before they are cast."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import softmax
from models.cost import risk
from models.label_model.hbcc import HBCC
from models.label_model.mixture import Mixture
from models.label_model.protocol import Member
from models.label_model.weighted_vote import WeightedVote
from models.value import (
    Asker,
    final_risk,
    further,
    gain,
    horizon,
    of_accuracy,
    risk_curve,
    symbol_likelihood,
    told,
    ways,
)
from models.votes import Votes, log_scores


def draw(seed: int, k: int, symbols: int, n: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior (n, k), likelihood (symbols, k) and cost (k, k), all random."""
    random = np.random.default_rng(seed)
    posterior = random.dirichlet(np.full(k, 0.5), n)
    likelihood = random.dirichlet(np.full(symbols, 0.7), k).T
    return posterior, likelihood, random.random((k, k)) * (1 - np.eye(k))


def expert(right: float, k: int) -> Asker:
    return Asker("expert", 0.6, of_accuracy(right, k), final=True)


CASES = {"seed": st.integers(0, 100_000), "k": st.integers(2, 4), "symbols": st.integers(2, 5)}


@settings(max_examples=60, deadline=None)
@given(**CASES, costly=st.booleans())
def test_a_vote_is_never_worth_less_than_nothing_and_more_votes_never_less(
    seed: int, k: int, symbols: int, costly: bool
) -> None:
    posterior, likelihood, cost = draw(seed, k, symbols)
    curve = risk_curve(posterior, likelihood, 3, cost if costly else None)
    assert (curve >= -1e-12).all()
    assert (np.diff(curve, axis=1) <= 0).all()
    for votes in (1, 2, 3):
        expected = gain(posterior, likelihood, votes, cost if costly else None)
        np.testing.assert_allclose(expected, curve[:, 0] - curve[:, votes], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(**CASES, votes=st.integers(1, 3), costly=st.booleans())
def test_it_is_the_mean_over_all_that_the_votes_may_say(
    seed: int, k: int, symbols: int, votes: int, costly: bool
) -> None:
    posterior, likelihood, matrix = draw(seed, k, symbols, n=5)
    cost = matrix if costly else None
    after = np.zeros(len(posterior))
    for said in product(range(symbols), repeat=votes):
        joint = posterior * likelihood[list(said)].prod(axis=0)
        chance = joint.sum(axis=1, keepdims=True)
        after += chance[:, 0] * risk(joint / chance, cost)
    np.testing.assert_allclose(
        gain(posterior, likelihood, votes, cost), risk(posterior, cost) - after, atol=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 100_000), k=st.integers(2, 5))
def test_who_knows_all_takes_all_risk_away_and_who_knows_nothing_none(seed: int, k: int) -> None:
    posterior, _, cost = draw(seed, k, k)
    np.testing.assert_allclose(gain(posterior, np.eye(k), 1, cost), risk(posterior, cost), atol=1e-12)
    useless = np.tile(np.random.default_rng(seed).dirichlet(np.ones(k))[:, None], (1, k))
    np.testing.assert_allclose(gain(posterior, useless, 3, cost), 0, atol=1e-12)


def test_one_vote_that_cannot_turn_the_label_is_worth_nothing_but_three_are() -> None:
    sure = np.array([[0.85, 0.15]])
    crowd = of_accuracy(0.75, 2)
    assert gain(sure, crowd, 1)[0] == pytest.approx(0, abs=1e-12)
    assert gain(sure, crowd, 3)[0] > 0.01
    found = ways(sure, Asker("crowd", 0.05, crowd, max_votes=5))
    assert found.votes.tolist() == [[1, 2, 3]]
    expected = [gain(sure, further(crowd, 0, m), m)[0] for m in (1, 2, 3)]
    np.testing.assert_allclose(found.gain[0], expected, atol=1e-12)
    assert ways(sure, Asker("crowd", 0.05, crowd, max_votes=1)).votes.tolist() == [[1]]


def test_votes_of_one_tier_tell_less_and_less() -> None:
    """The posterior after each next vote is the one that all of them together give."""
    crowd = Asker("crowd", 0.05, of_accuracy(0.75, 2), max_votes=5)
    votes = Votes(5, ("tier:crowd",), (2,), np.repeat(np.arange(5), np.arange(5)), *np.zeros((2, 10), int))
    together = softmax(log_scores(votes, np.log([0.5, 0.5]), {"tier:crowd": np.log(crowd.likelihood)}))
    step = np.array([[0.5, 0.5]])
    for before in range(4):
        step = told(step, crowd, np.zeros(1, int), before)
        np.testing.assert_allclose(step[0], together[before + 1], atol=1e-12)
    steps = np.diff(np.log(together[:, 0] / together[:, 1]))
    assert (np.diff(steps) < 0).all() and (steps > 0).all()


def test_a_vote_that_turns_no_label_tells_where_a_final_answer_is_needed() -> None:
    """Nine of ten labels are right; one vote parts them, and the expert is asked about few of them."""
    sure = np.array([[0.9, 0.1]])
    found = ways(sure, Asker("crowd", 0.06, of_accuracy(0.75, 2), max_votes=1), expert(0.98, 2))
    disagrees = 0.9 * 0.25 + 0.1 * 0.75
    np.testing.assert_allclose(found.finals[0], [0, disagrees], atol=1e-12)
    np.testing.assert_allclose(found.gain[0], [0, 0.1 * 0.75 - 0.02 * disagrees], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(**CASES, costly=st.booleans())
def test_a_final_answer_is_sought_where_it_takes_most_away(
    seed: int, k: int, symbols: int, costly: bool
) -> None:
    """Every set of outcomes that costs no more final answers takes away no more risk (ratios first)."""
    posterior, likelihood, matrix = draw(seed, k, symbols, n=5)
    cost = matrix if costly else None
    found = ways(posterior, Asker("x", 0.1, likelihood), expert(0.9, k), cost)
    assert found.votes[0].tolist() == [1] * symbols
    assert (np.diff(found.finals, axis=1) >= -1e-12).all()
    assert (np.diff(found.gain, axis=1) >= -1e-9).all()
    assert (found.finals < 1).all()
    np.testing.assert_allclose(found.gain[:, 0], gain(posterior, likelihood, 1, cost), atol=1e-9)
    each = np.diff(found.gain, axis=1) / np.maximum(np.diff(found.finals, axis=1), 1e-12)
    assert (np.diff(each, axis=1) <= 1e-6 * (1 + np.abs(each[:, 1:]))).all()


def test_what_a_final_answer_leaves_is_what_its_label_costs() -> None:
    np.testing.assert_allclose(final_risk(of_accuracy(0.98, 3)), 0.02, atol=1e-12)
    dear = np.array([[0.0, 10.0], [1.0, 0.0]])
    np.testing.assert_allclose(final_risk(of_accuracy(0.98, 2), dear), [0.02, 0.2], atol=1e-12)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="3 classes, the posterior has 2"):
        gain(np.array([[0.5, 0.5]]), of_accuracy(0.8, 3))


def test_a_proper_table_is_its_own_likelihood_whatever_is_added_to_its_rows() -> None:
    likelihood = np.array([[0.7, 0.1, 0.2], [0.2, 0.6, 0.1], [0.1, 0.3, 0.7]])
    prior = np.log(np.full(3, 1 / 3))
    moved = np.log(likelihood) + np.array([[3.0], [-1.0], [0.5]])
    for table in (np.log(likelihood), moved):
        members = (Member("m", prior, {"tier:crowd": table}),)
        np.testing.assert_allclose(symbol_likelihood(members, "tier:crowd"), likelihood, atol=2e-3)


@pytest.mark.parametrize("temperature", [0.3, 0.7, 1.0])
def test_odds_alone_give_the_accuracy_that_they_stand_for(temperature: float) -> None:
    odds = np.log(0.8 / 0.2)
    members = (Member("m", np.log([0.5, 0.5]), {"tier:crowd": np.eye(2) * odds}, temperature),)
    right = 1 / (1 + np.exp(-temperature * odds))
    np.testing.assert_allclose(symbol_likelihood(members, "tier:crowd"), of_accuracy(right, 2), atol=1e-3)


@pytest.mark.parametrize("temperature", [0.4, 0.8, 1.0])
@pytest.mark.parametrize("model", [HBCC, WeightedVote])
def test_what_is_expected_of_a_vote_is_what_happens_on_average(model: type, temperature: float) -> None:
    """The mean of the posterior over the votes that may come is the posterior now, for each member."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, 300)
    said = np.where(random.random(300) < 0.7, truth, random.integers(0, 3, 300))
    votes = Votes.of_one("tier:crowd", said, 3)
    gold = np.where(random.random(300) < 0.3, truth, -1)
    (fitted,) = model().fit(votes, 3, gold).members()
    member = Member(fitted.name, fitted.prior, fitted.tables, temperature)
    likelihood = symbol_likelihood((member,), "tier:crowd")
    now = softmax(temperature * member.prior[None])
    one_each = Votes.of_one("tier:crowd", np.arange(3), 3)
    after = Mixture((member,)).posterior(one_each)
    np.testing.assert_allclose(likelihood.sum(axis=0), 1)
    np.testing.assert_allclose((likelihood @ now[0]) @ after, now[0], atol=2e-3)


def test_members_are_averaged_by_weight() -> None:
    prior = np.log([0.5, 0.5])
    sure, unsure = np.log(of_accuracy(0.9, 2)), np.log(of_accuracy(0.6, 2))
    members = (Member("a", prior, {"x": sure}, 1.0, 0.25), Member("b", prior, {"x": unsure}, 1.0, 0.75))
    np.testing.assert_allclose(symbol_likelihood(members, "x"), of_accuracy(0.675, 2), atol=1e-3)
    known = symbol_likelihood(members, "new", lambda member, _key: member.tables["x"])
    np.testing.assert_allclose(known, of_accuracy(0.675, 2), atol=1e-3)
    with pytest.raises(ValueError, match="new"):
        symbol_likelihood(members, "new")


def test_more_symbols_than_classes_keep_their_likelihood() -> None:
    bins = np.array([[0.5, 0.05], [0.25, 0.2], [0.2, 0.25], [0.05, 0.5]])
    members = (Member("m", np.log([0.5, 0.5]), {"llm": np.log(bins)}),)
    np.testing.assert_allclose(symbol_likelihood(members, "llm"), bins, atol=1e-3)


def test_a_final_answer_stands_whatever_was_known() -> None:
    posterior = np.array([[0.9, 0.1], [0.5, 0.5]])
    final = Asker("expert", 0.6, of_accuracy(0.98, 2), final=True)
    np.testing.assert_allclose(told(posterior, final, np.array([1, 0])), [[0.02, 0.98], [0.98, 0.02]])
    crowd = Asker("crowd", 0.1, of_accuracy(0.8, 2))
    np.testing.assert_allclose(
        told(posterior, crowd, np.array([0, 1])), [[0.973, 0.027], [0.2, 0.8]], atol=1e-3
    )
    impossible = Asker("odd", 0.1, np.array([[1.0, 1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(told(posterior, impossible, np.array([1, 1])), posterior)


def test_twenty_classes_stay_fast() -> None:
    posterior, likelihood, _ = draw(0, 20, 20, n=512)
    assert horizon(2) == 3
    assert horizon(20) == 2
    assert horizon(100) == 1
    begun = time.process_time()
    risk_curve(posterior, likelihood, horizon(20))
    assert time.process_time() - begun < 0.25
