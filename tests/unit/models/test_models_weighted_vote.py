"""Weighted vote: what gold teaches it, what copies cannot do to it, and where it must not break."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import log_softmax, softmax
from models.label_model.majority import MajorityVote
from models.label_model.priors import Priors, log_odds
from models.label_model.snorkel_model import SnorkelLabelModel
from models.label_model.weighted_vote import WeightedVote, WeightedVoteSettings
from models.votes import Votes, log_scores

K = 3


def mixed(seed: int, n: int = 60, n_gold: int = 25) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Three functions, a classifier with two bins and a crowd that may vote twice on an item."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, K, n)

    def noisy(accuracy: float) -> np.ndarray:
        return np.where(random.random(n) < accuracy, truth, random.integers(0, K, n))

    spoken = np.stack([np.where(random.random(n) < 0.6, noisy(0.6), -1) for _ in range(3)], axis=1)
    votes = Votes.from_dense(spoken, [f"function:f{j}" for j in range(3)], K)
    sure = noisy(0.6) * 2 + random.integers(0, 2, n)
    votes = Votes.concat_annotators(votes, Votes.of_one("classifier", sure, K * 2))
    asked = random.integers(0, n, 2 * n)
    people = Votes(n, ("tier:crowd",), (K,), asked, np.zeros(2 * n, int), noisy(0.8)[asked])
    gold = np.full(n, -1)
    known = random.permutation(n)[:n_gold]
    gold[known] = truth[known]
    return Votes.concat_annotators(votes, people), gold, truth


def two_functions(n: int, right: tuple[float, float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, n)
    columns = [np.where(random.random(n) < accuracy, truth, 1 - truth) for accuracy in right]
    return np.stack(columns, axis=1), truth


def weights(model: WeightedVote) -> list[float]:
    """Of functions: what a vote adds to its class."""
    return [float(table[0, 0]) for table in model.symbol_likelihoods()[1].values()]


@pytest.mark.parametrize("n_gold", [0, 9])
def test_with_too_little_gold_it_is_the_accuracy_weighted_majority(n_gold: int) -> None:
    votes, gold, _ = mixed(1, n_gold=n_gold)
    priors = Priors({"crowd": 0.9})
    ours = WeightedVote(priors).fit(votes, K, gold)
    majority = MajorityVote(priors).fit(votes, K, gold)
    np.testing.assert_allclose(ours.predict_proba(votes), majority.predict_proba(votes))
    for key, table in majority.symbol_likelihoods()[1].items():
        np.testing.assert_array_equal(ours.symbol_likelihoods()[1][key], table)


def test_tight_priors_are_the_accuracy_weighted_majority_whatever_the_gold() -> None:
    votes, gold, _ = mixed(2)
    rules = WeightedVoteSettings(sigma=1e-4, balance_sigma=1e-4)
    ours = WeightedVote(settings=rules).fit(votes, K, gold).predict_proba(votes)
    np.testing.assert_allclose(ours, MajorityVote().fit(votes, K, gold).predict_proba(votes), atol=1e-4)


def test_tables_reproduce_the_prediction_and_follow_from_one_weight_each() -> None:
    votes, gold, _ = mixed(3)
    model = WeightedVote().fit(votes, K, gold)
    prior, tables = model.symbol_likelihoods()
    np.testing.assert_allclose(model.predict_proba(votes), softmax(log_scores(votes, prior, tables)))
    np.testing.assert_allclose(np.exp(prior).sum(), 1)
    for key in votes.annotators[:3]:
        np.testing.assert_allclose(tables[key], np.vstack([np.eye(K) * tables[key][0, 0], np.zeros(K)]))
    bins = tables["classifier"].reshape(K, 2, K)
    np.testing.assert_allclose(bins[:, 0], np.eye(K) * bins[0, 0, 0])
    np.testing.assert_allclose(bins[:, 1], np.eye(K) * bins[0, 1, 0])
    assert bins[0, 1, 0] > bins[0, 0, 0]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_items_and_annotators_changes_nothing(seed: int) -> None:
    votes, gold, _ = mixed(seed)
    random = np.random.default_rng(seed)
    items, people, order = random.permutation(60), random.permutation(5), random.permutation(len(votes))
    shuffled = Votes(
        n_items=60,
        annotators=tuple(votes.annotators[j] for j in people),
        n_symbols=tuple(votes.n_symbols[j] for j in people),
        row=np.argsort(items)[votes.row][order],
        annotator=np.argsort(people)[votes.annotator][order],
        symbol=votes.symbol[order],
    )
    plain = WeightedVote().fit(votes, K, gold).predict_proba(votes)
    other = WeightedVote().fit(shuffled, K, gold[items]).predict_proba(shuffled)
    np.testing.assert_allclose(other, plain[items], atol=1e-4)


def test_renaming_two_classes_mirrors_the_answer() -> None:
    matrix, truth = two_functions(100, (0.9, 0.7))
    keys = ("function:a", "function:b")
    plain = Votes.from_dense(matrix, keys, 2)
    turned = Votes.from_dense(1 - matrix, keys, 2)
    expected = WeightedVote().fit(plain, 2, truth).predict_proba(plain)
    mirrored = WeightedVote().fit(turned, 2, 1 - truth).predict_proba(turned)
    np.testing.assert_allclose(mirrored[:, ::-1], expected, atol=1e-5)


def test_what_it_finds_is_the_most_probable() -> None:
    """No small step in any direction lowers the penalized log-loss, computed here from its definition."""
    matrix, truth = two_functions(200, (0.9, 0.6))
    votes = Votes.from_dense(matrix, ("function:a", "function:b"), 2)
    rules = WeightedVoteSettings(sigma=0.8, balance_sigma=0.5)
    model = WeightedVote(settings=rules).fit(votes, 2, truth)

    def loss(w: np.ndarray, b: np.ndarray) -> float:
        scores = np.stack([(matrix == k) @ w for k in range(2)], axis=1) + b
        fit = -log_softmax(scores.astype(float))[np.arange(200), truth].sum()
        return fit + ((w - np.log(3)) ** 2).sum() / (2 * 0.8**2) + (b**2).sum() / (2 * 0.5**2)

    prior, _ = model.symbol_likelihoods()
    w, b = np.array(weights(model)), prior - prior.mean()  # offsets sum to 0 at the optimum
    least = loss(w, b)
    for place in range(4):
        for step in (-0.01, 0.01):
            moved = np.concatenate([w, b])
            moved[place] += step
            assert loss(moved[:2], moved[2:]) > least


def test_weights_of_simulated_functions_are_recovered() -> None:
    matrix, truth = two_functions(20_000, (0.9, 0.6))
    votes = Votes.from_dense(matrix, ("function:good", "function:poor"), 2)
    good, poor = weights(WeightedVote(settings=WeightedVoteSettings(sigma=5)).fit(votes, 2, truth))
    assert good == pytest.approx(log_odds(0.9, 2), abs=0.08)
    assert poor == pytest.approx(log_odds(0.6, 2), abs=0.08)


def test_a_liar_gets_a_negative_weight() -> None:
    matrix, truth = two_functions(400, (0.9, 0.05))
    votes = Votes.from_dense(matrix, ("function:honest", "function:liar"), 2)
    honest, liar = weights(WeightedVote().fit(votes, 2, truth))
    assert honest > 1 > 0 > liar


def test_copies_share_one_weight() -> None:
    matrix, truth = two_functions(400, (0.9, 0.6))
    copied = np.concatenate([matrix] + [matrix[:, 1:]] * 8, axis=1)
    votes = Votes.from_dense(copied, [f"function:f{j}" for j in range(10)], 2)
    good, *copies = weights(WeightedVote().fit(votes, 2, truth))
    assert sum(copies) < good
    np.testing.assert_allclose(copies, copies[0], atol=1e-4)


def test_items_without_a_known_label_play_no_part() -> None:
    votes, gold, _ = mixed(4)
    alone = WeightedVote().fit(votes.take(gold >= 0), K, gold[gold >= 0])
    everything = WeightedVote().fit(votes, K, gold)
    np.testing.assert_allclose(alone.predict_proba(votes), everything.predict_proba(votes), atol=1e-9)


@pytest.mark.parametrize(
    "votes",
    [
        pytest.param(Votes.from_dense(np.empty((20, 0), int), (), 2), id="nobody"),
        pytest.param(Votes.from_dense(np.empty((0, 2), int), ("function:a", "function:b"), 2), id="no items"),
        pytest.param(Votes(20, ("tier:a@x", "tier:a@y"), (2, 2), [], [], []), id="no votes"),
        pytest.param(Votes.from_dense(np.full((20, 1), -1), ("function:a",), 2), id="all silent"),
        pytest.param(Votes.of_one("classifier", np.zeros(20, int), 8), id="one symbol"),
        pytest.param(Votes.of_one("tier:a", np.tile(1, 10_000), 2), id="one class"),
    ],
)
@pytest.mark.parametrize("known", [-1, 0])
def test_degenerate_input_gives_probabilities(votes: Votes, known: int) -> None:
    model = WeightedVote(settings=WeightedVoteSettings(sigma=20, balance_sigma=20))
    proba = model.fit(votes, 2, np.full(votes.n_items, known)).predict_proba(votes)
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.skipif("LABELLOOP_DATA" not in os.environ, reason="LABELLOOP_DATA is not set")
def test_youtube_with_fifty_gold_labels_beats_snorkel_and_the_loss_of_the_majority() -> None:
    with (Path(os.environ["LABELLOOP_DATA"]) / "youtube_spam_lf.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = {"": -1, "ham": 0, "spam": 1}
    matrix = np.array([[codes[row[f"lf{j}"]] for j in range(10)] for row in rows])
    votes = Votes.from_dense(matrix, [f"function:lf{j}" for j in range(10)], 2)
    truth = np.array([codes[row["label"]] for row in rows])
    accuracy: dict[str, list[float]] = {}
    loss: dict[str, list[float]] = {}
    for seed in range(5):
        gold = np.full(len(truth), -1)
        known = np.random.default_rng(seed).permutation(len(truth))[:50]
        gold[known] = truth[known]
        rest = gold < 0
        for model in (WeightedVote(), MajorityVote(), SnorkelLabelModel(seed=seed)):
            proba = model.fit(votes, 2, gold).predict_proba(votes)[rest]
            name = type(model).__name__
            accuracy.setdefault(name, []).append(float((proba.argmax(axis=1) == truth[rest]).mean()))
            loss.setdefault(name, []).append(float(-np.log(proba[np.arange(rest.sum()), truth[rest]]).mean()))
    assert np.mean(accuracy["WeightedVote"]) > np.mean(accuracy["SnorkelLabelModel"]) + 0.02
    assert np.mean(loss["WeightedVote"]) < np.mean(loss["MajorityVote"]) - 0.02
