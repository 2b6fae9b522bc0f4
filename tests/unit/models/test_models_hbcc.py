"""HBCC: what its updates say, what it recovers, and where it must not break."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from models.arrays import softmax
from models.label_model.hbcc import HBCC
from models.label_model.hbcc_beliefs import LEAST_MASS, HBCCSettings
from models.label_model.majority import MajorityVote
from models.label_model.priors import Priors
from models.label_model.snorkel_model import SnorkelLabelModel
from models.votes import Votes, log_scores

K = 3
NEEDS_DATA = pytest.mark.skipif("LABELLOOP_DATA" not in os.environ, reason="LABELLOOP_DATA is not set")


def noisy(random: np.random.Generator, truth: np.ndarray, accuracy: float, n_classes: int) -> np.ndarray:
    wrong = (truth + random.integers(1, n_classes, len(truth))) % n_classes
    return np.where(random.random(len(truth)) < accuracy, truth, wrong)


def mixed(seed: int, n: int = 40, n_gold: int = 6) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Three functions, a classifier with two bins and four workers of one tier."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, K, n)
    spoken = [np.where(random.random(n) < 0.6, noisy(random, truth, 0.7, K), -1) for _ in range(3)]
    votes = Votes.from_dense(np.stack(spoken, axis=1), [f"function:f{j}" for j in range(3)], K)
    sure = noisy(random, truth, 0.6, K) * 2 + random.integers(0, 2, n)
    votes = Votes.concat_annotators(votes, Votes.of_one("classifier", sure, K * 2))
    for worker in range(4):
        said = noisy(random, truth, 0.8, K)
        votes = Votes.concat_annotators(votes, Votes.of_one(f"tier:crowd@w{worker}", said, K))
    gold = np.full(n, -1)
    gold[random.permutation(n)[:n_gold]] = 0
    return votes, np.where(gold == 0, truth, -1), truth


def crowd(seed: int, accuracies: list[float], n: int, share: float = 1.0) -> tuple[Votes, np.ndarray]:
    """Workers who answer a share of binary items; votes and truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, n)
    asked = random.random((n, len(accuracies))) < share
    said = np.stack([noisy(random, truth, accuracy, 2) for accuracy in accuracies], axis=1)
    row, annotator = np.nonzero(asked)
    keys = tuple(f"tier:crowd@w{j}" for j in range(len(accuracies)))
    return Votes(n, keys, (2,) * len(keys), row, annotator, said[asked]), truth


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_renaming_classes_renames_the_answer(seed: int) -> None:
    votes, gold, _ = mixed(seed)
    renamed = np.random.default_rng(seed).permutation(K)
    per_class = np.where(np.array(votes.n_symbols) == K * 2, 2, 1)[votes.annotator]
    named, rest = votes.symbol // per_class, votes.symbol % per_class
    silent = votes.symbol == np.where(per_class == 2, -1, K)
    moved = np.where(silent, votes.symbol, renamed[np.where(silent, 0, named)] * per_class + rest)
    other = Votes(votes.n_items, votes.annotators, votes.n_symbols, votes.row, votes.annotator, moved)
    plain = HBCC().fit(votes, K, gold).predict_proba(votes)
    turned = HBCC().fit(other, K, np.where(gold < 0, -1, renamed[gold])).predict_proba(other)
    np.testing.assert_allclose(turned[:, renamed], plain, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_items_and_annotators_changes_nothing(seed: int) -> None:
    votes, gold, _ = mixed(seed)
    random = np.random.default_rng(seed)
    items, people, order = random.permutation(40), random.permutation(8), random.permutation(len(votes))
    shuffled = Votes(
        n_items=40,
        annotators=tuple(votes.annotators[j] for j in people),
        n_symbols=tuple(votes.n_symbols[j] for j in people),
        row=np.argsort(items)[votes.row][order],
        annotator=np.argsort(people)[votes.annotator][order],
        symbol=votes.symbol[order],
    )
    plain = HBCC().fit(votes, K, gold).predict_proba(votes)
    other = HBCC().fit(shuffled, K, gold[items]).predict_proba(shuffled)
    np.testing.assert_allclose(other, plain[items], atol=1e-9)


def test_tables_reproduce_the_prediction_and_stand_under_their_own_keys() -> None:
    votes, gold, _ = mixed(1)
    model = HBCC().fit(votes, K, gold)
    prior, tables = model.symbol_likelihoods()
    np.testing.assert_allclose(model.predict_proba(votes), softmax(log_scores(votes, prior, tables)))
    assert [table.shape for table in tables.values()] == [(size, K) for size in votes.n_symbols]
    assert tuple(tables) == votes.annotators


def test_one_round_by_hand() -> None:
    """A known item, an unknown one, and one worker who answers both: expected logs of two Dirichlets."""
    votes = Votes.of_one("tier:crowd", np.array([0, 1]), 2)
    rules = HBCCSettings(people_lam=0.5, max_rounds=1)
    prior, tables = (
        HBCC(Priors({"crowd": 0.75}), settings=rules).fit(votes, 2, np.array([0, -1])).symbol_likelihoods()
    )
    q = np.array([0.25, 0.75])  # of the unknown item: odds 3 for the class that the worker named
    alpha = np.array([[30 + 1, 10], [10 + 0.5 * q[0], 30 + 0.5 * q[1]]])
    np.testing.assert_allclose(tables["tier:crowd"], digamma(alpha) - digamma(alpha.sum(axis=0)))
    mass = 1 + np.array([1 + 0.5 * q[0], 0.5 * q[1]])
    np.testing.assert_allclose(prior, digamma(mass) - digamma(mass.sum()))


def test_known_labels_are_certain_while_tables_are_learned() -> None:
    truth = np.arange(200) % 2
    liar = Votes.of_one("tier:crowd", 1 - truth, 2)
    model = HBCC().fit(liar, 2, truth)
    assert (model.predict_proba(liar).argmax(axis=1) == truth).all()
    believed = HBCC().fit(liar, 2, np.full(200, -1))
    assert (believed.predict_proba(liar).argmax(axis=1) != truth).all()


def test_unlabeled_items_count_by_lam_for_machines_and_by_people_lam_for_people() -> None:
    """The classifier learned from the functions' votes: that it agrees with them shows nothing."""
    said = np.array([0, 1, 1, 0])
    votes = Votes.concat_annotators(Votes.of_one("function:f", said, 3), Votes.of_one("tier:crowd", said, 2))
    votes = Votes.concat_annotators(votes, Votes.of_one("classifier", said * 2, 4))

    def tables(**rules: float) -> dict[str, np.ndarray]:
        fitted = HBCC(settings=HBCCSettings(max_rounds=1, **rules)).fit(votes, 2, np.full(4, -1))
        return dict(fitted.symbol_likelihoods()[1])

    deaf, machines, people = tables(lam=0, people_lam=0), tables(lam=1, people_lam=0), tables(lam=0)
    for machine in ("function:f", "classifier"):
        assert not np.allclose(deaf[machine], machines[machine])
        np.testing.assert_array_equal(deaf[machine], people[machine])
    np.testing.assert_array_equal(deaf["tier:crowd"], machines["tier:crowd"])
    assert not np.allclose(deaf["tier:crowd"], people["tier:crowd"])


def test_picked_labels_count_as_if_nobody_knew_them() -> None:
    """Only items on which functions err are asked about: no function gets worse by it than it is."""
    random = np.random.default_rng(4)
    truth = random.integers(0, 2, 400)
    right = random.random((400, 3)) < 0.85
    keys = ["function:a", "function:b", "function:c"]
    votes = Votes.from_dense(np.where(right, truth[:, None], 1 - truth[:, None]), keys, 2)
    hard = right.sum(axis=1) <= 1
    gold = np.where(hard, truth, -1)

    def accuracy(picked: np.ndarray | None) -> float:
        fitted = HBCC(settings=HBCCSettings(lam=0.01)).fit(votes, 2, gold, picked=picked)
        return float((fitted.predict_proba(votes).argmax(axis=1) == truth)[~hard].mean())

    assert accuracy(None) < 0.6, "as if drawn at random, they turn functions over"
    assert accuracy(hard) == 1.0


def test_silence_counts_by_its_weight() -> None:
    truth = np.repeat([0, 1], 50)
    votes = Votes.from_dense(np.where(truth == 1, 1, -1)[:, None], ("function:only",), 2)

    def silence(weight: float) -> np.ndarray:
        model = HBCC(settings=HBCCSettings(abstain_weight=weight)).fit(votes, 2, truth)
        return model.symbol_likelihoods()[1]["function:only"][2]

    np.testing.assert_allclose(silence(0.3), 0.3 * silence(1.0))
    assert silence(1.0)[0] > silence(1.0)[1]
    np.testing.assert_array_equal(silence(0.0), 0)


def test_a_single_vote_of_a_seldom_function_does_not_outweigh_the_crowd() -> None:
    matrix = np.full((2000, 1), -1)
    matrix[0] = 1
    votes = Votes.from_dense(matrix, ("function:seldom",), 2)
    table = HBCC().fit(votes, 2, np.full(2000, -1)).symbol_likelihoods()[1]["function:seldom"]
    assert np.ptp(table[:2], axis=1).max() < 1.0
    assert table.min() > digamma(LEAST_MASS) - np.log(2000)


def test_confusion_of_simulated_workers_is_recovered() -> None:
    accuracies = [0.95, 0.9, 0.8, 0.7, 0.6, 0.85, 0.1]
    votes, truth = crowd(0, accuracies, n=3000)
    model = HBCC().fit(votes, 2, np.full(3000, -1))
    for worker, accuracy in enumerate(accuracies):
        table = softmax(model.symbol_likelihoods()[1][f"tier:crowd@w{worker}"].T).T
        np.testing.assert_allclose(np.diagonal(table), accuracy, atol=0.04)
    bayes = (model.predict_proba(votes).argmax(axis=1) == truth).mean()
    assert (
        bayes
        > (
            MajorityVote().fit(votes, 2, np.full(3000, -1)).predict_proba(votes).argmax(axis=1) == truth
        ).mean()
    )


def test_a_worker_with_one_vote_borrows_from_the_tier() -> None:
    """The stated accuracy is .75, the tier's is .95: a newcomer is believed like it, a stranger is not."""
    votes, truth = crowd(1, [0.95] * 10, n=300)
    newcomer = Votes(300, ("tier:crowd@new",), (2,), np.array([0]), np.array([0]), truth[:1])
    stranger = Votes(300, ("tier:other@new",), (2,), np.array([0]), np.array([0]), truth[:1])
    both = Votes.concat_annotators(Votes.concat_annotators(votes, newcomer), stranger)
    _, tables = (
        HBCC(Priors({"crowd": 0.75, "other": 0.75})).fit(both, 2, np.full(300, -1)).symbol_likelihoods()
    )
    accuracy = {key: float(np.exp(tables[key]).diagonal().mean()) for key in tables}
    assert accuracy["tier:crowd@new"] > accuracy["tier:other@new"] + 0.05
    alone = HBCC(settings=HBCCSettings(fewest_in_group=99)).fit(both, 2, np.full(300, -1))
    unaided = float(np.exp(alone.symbol_likelihoods()[1]["tier:crowd@new"]).diagonal().mean())
    assert unaided == pytest.approx(accuracy["tier:other@new"], abs=0.01)


def test_a_bias_that_a_tier_shares_is_found_from_few_answers_each() -> None:
    """Sixty workers, about fifteen answers each: right on class 0, little better than a coin on class 1."""
    apart = HBCCSettings(fewest_in_group=1000)
    loss = {"shared": 0.0, "apart": 0.0}
    for seed in range(5):
        random = np.random.default_rng(seed)
        votes, truth = crowd(seed, [0.5] * 60, n=300, share=0.05)
        right = random.random(len(votes)) < np.where(truth[votes.row] == 0, 0.95, 0.6)
        said = np.where(right, truth[votes.row], 1 - truth[votes.row])
        votes = Votes(300, votes.annotators, votes.n_symbols, votes.row, votes.annotator, said)
        for name, rules in (("shared", HBCCSettings()), ("apart", apart)):
            proba = HBCC(settings=rules).fit(votes, 2, np.full(300, -1)).predict_proba(votes)
            loss[name] -= np.log(proba[np.arange(300), truth]).mean() / 5
    assert loss["shared"] < loss["apart"] - 0.02


@pytest.mark.parametrize(
    "votes",
    [
        pytest.param(Votes.from_dense(np.empty((4, 0), int), (), 2), id="nobody"),
        pytest.param(Votes.from_dense(np.empty((0, 2), int), ("function:a", "function:b"), 2), id="no items"),
        pytest.param(Votes(4, ("tier:a@x", "tier:a@y", "tier:a@z"), (2, 2, 2), [], [], []), id="no votes"),
        pytest.param(Votes.from_dense(np.full((4, 2), -1), ("function:a", "function:b"), 2), id="all silent"),
        pytest.param(Votes.of_one("classifier", np.zeros(4, int), 8), id="one symbol"),
        pytest.param(Votes.of_one("tier:a", np.tile(1, 10_000), 2), id="one class"),
    ],
)
@pytest.mark.parametrize("lam", [0.0, 1.0])
@pytest.mark.parametrize("known", [-1, 0])
def test_degenerate_input_gives_probabilities(votes: Votes, lam: float, known: int) -> None:
    rules = HBCCSettings(lam=lam, people_lam=lam, abstain_weight=1.0)
    model = HBCC(settings=rules).fit(votes, 2, np.full(votes.n_items, known))
    proba = model.predict_proba(votes)
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert all(np.isfinite(table).all() for table in model.symbol_likelihoods()[1].values())


def test_without_votes_or_gold_classes_are_even() -> None:
    votes = Votes.from_dense(np.empty((4, 0), int), (), 2)
    np.testing.assert_allclose(HBCC().fit(votes, 2, np.full(4, -1)).predict_proba(votes), 0.5)


@NEEDS_DATA
def test_bluebird_without_gold_reaches_the_published_figure() -> None:
    with (Path(os.environ["LABELLOOP_DATA"]) / "crowd_bluebird.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    votes, tasks = Votes.from_table(
        [row["item"] for row in rows], [row["worker"] for row in rows], [int(row["vote"]) for row in rows]
    )
    gold = {row["item"]: int(row["gold"]) for row in rows}
    truth = np.array([gold[str(task)] for task in tasks])
    proba = HBCC().fit(votes, 2, np.full(len(truth), -1)).predict_proba(votes)
    assert (proba.argmax(axis=1) == truth).mean() >= 0.88


@NEEDS_DATA
def test_youtube_with_fifty_gold_labels_beats_snorkel() -> None:
    votes, truth = youtube()
    ours, snorkel = [], []
    for seed in range(5):
        gold = np.full(len(truth), -1)
        known = np.random.default_rng(seed).permutation(len(truth))[:50]
        gold[known] = truth[known]
        rest = gold < 0
        for model, scores in ((HBCC(), ours), (SnorkelLabelModel(seed=seed), snorkel)):
            proba = model.fit(votes, 2, gold).predict_proba(votes)
            scores.append((proba.argmax(axis=1) == truth)[rest].mean())
    assert np.mean(ours) > np.mean(snorkel) + 0.02


def youtube() -> tuple[Votes, np.ndarray]:
    with (Path(os.environ["LABELLOOP_DATA"]) / "youtube_spam_lf.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = {"": -1, "ham": 0, "spam": 1}
    matrix = np.array([[codes[row[f"lf{j}"]] for j in range(10)] for row in rows])
    votes = Votes.from_dense(matrix, [f"function:lf{j}" for j in range(10)], 2)
    return votes, np.array([codes[row["label"]] for row in rows])
