"""What holds for every label model, and what each one is for."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.label_model.counts import class_balance, expected_tables, merge
from models.label_model.dawid_skene import DawidSkene, DawidSkeneSettings
from models.label_model.majority import MajorityVote
from models.label_model.mixture import mixture_posterior
from models.label_model.priors import Priors, bin_accuracies, log_odds
from models.label_model.registry import LABEL_MODELS
from models.label_model.snorkel_model import SnorkelLabelModel, dense_matrix
from models.votes import Votes

FAST = ("majority", "dawid_skene")
TABLE_MODELS = ("majority", "dawid_skene", "hbcc", "weighted_vote")
K = 3


def world(seed: int, n: int = 300, gold: int = 20) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Five functions, a classifier, a crowd and a language model on items of three classes; votes, gold,
    truth.
    """
    random = np.random.default_rng(seed)
    truth = random.integers(0, K, n)

    def noisy(accuracy: float) -> np.ndarray:
        return np.where(random.random(n) < accuracy, truth, random.integers(0, K, n))

    functions = np.stack([np.where(random.random(n) < 0.6, noisy(0.7), -1) for _ in range(5)], axis=1)
    votes = Votes.from_dense(functions, [f"function:f{j}@0" for j in range(5)], K)
    votes = Votes.concat_annotators(
        votes, Votes.of_one("classifier", noisy(0.6) * 4 + random.integers(0, 4, n), K * 4)
    )
    asked = random.integers(0, n, 2 * n)
    crowd = Votes(n, ("tier:crowd",), (K,), asked, np.zeros(2 * n, int), noisy(0.8)[asked])
    told = noisy(0.5) * 4 + random.integers(0, 4, n)
    few = random.permutation(n)[: n // 3]
    model = Votes(n, ("llm:cheap/plain@0",), (K * 4,), few, np.zeros(len(few), int), told[few])
    votes = Votes.concat_annotators(votes, model)
    known = np.full(n, -1)
    chosen = random.permutation(n)[:gold]
    known[chosen] = truth[chosen]
    return Votes.concat_annotators(votes, crowd), known, truth


@pytest.mark.parametrize("name", LABEL_MODELS)
def test_tables_reproduce_the_prediction(name: str) -> None:
    votes, gold, _ = world(1)
    model = LABEL_MODELS[name](Priors({"crowd": 0.8}), 0).fit(votes, K, gold)
    proba = model.predict_proba(votes)
    assert proba.shape == (300, K)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(proba, mixture_posterior(model.members(), votes))
    for member in model.members():
        assert all(np.isfinite(table).all() for table in member.tables.values())
        assert {key: table.shape for key, table in member.tables.items()} == {
            key: (size, K) for key, size in zip(votes.annotators, votes.n_symbols, strict=True)
        }


@pytest.mark.parametrize("name", LABEL_MODELS)
def test_predictions_beat_the_best_single_guess(name: str) -> None:
    votes, gold, truth = world(2)
    proba = LABEL_MODELS[name](Priors({"crowd": 0.8}), 0).fit(votes, K, gold).predict_proba(votes)
    assert (proba.argmax(axis=1) == truth).mean() > 0.85


@pytest.mark.parametrize("name", FAST)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_items_and_annotators_changes_nothing(name: str, seed: int) -> None:
    votes, gold, _ = world(seed, n=40, gold=6)
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
    plain = LABEL_MODELS[name](Priors(), 0).fit(votes, K, gold).predict_proba(votes)
    other = LABEL_MODELS[name](Priors(), 0).fit(shuffled, K, gold[items]).predict_proba(shuffled)
    np.testing.assert_allclose(other, plain[items], atol=1e-9)


@pytest.mark.parametrize("name", TABLE_MODELS)
def test_each_gold_column_gives_the_member_that_it_gives_alone(name: str) -> None:
    votes, gold, truth = world(7, n=60, gold=12)
    golds = [np.full(60, -1), gold, truth]
    model = LABEL_MODELS[name](Priors({"crowd": 0.8}), 0)
    each = model.fit_each(votes, K, golds)
    for member, known in zip(each, golds, strict=True):
        (alone,) = LABEL_MODELS[name](Priors({"crowd": 0.8}), 0).fit(votes, K, known).members()
        expected = mixture_posterior([alone], votes)
        np.testing.assert_allclose(mixture_posterior([member], votes), expected, atol=2e-3)


@pytest.mark.parametrize("name", TABLE_MODELS)
def test_a_weight_stands_for_equal_items(name: str) -> None:
    votes, gold, _ = world(8, n=60, gold=12)
    weight = np.arange(60) % 3 + 1.0
    repeated = np.repeat(np.arange(60), weight.astype(int))
    light = LABEL_MODELS[name](Priors(), 0).fit(votes, K, gold, weight).predict_proba(votes)
    full = LABEL_MODELS[name](Priors(), 0).fit(votes.take(repeated), K, gold[repeated]).predict_proba(votes)
    np.testing.assert_allclose(light, full, atol=1e-4)


@pytest.mark.parametrize("name", LABEL_MODELS)
def test_gold_that_does_not_fit_is_refused(name: str) -> None:
    votes, gold, _ = world(3)
    with pytest.raises(ValueError, match="expected one label for each of 300 items"):
        LABEL_MODELS[name](Priors(), 0).fit(votes, K, gold[1:])
    with pytest.raises(ValueError, match="with 2 classes"):
        LABEL_MODELS[name](Priors(), 0).fit(votes, 2, np.full(300, 2))


@pytest.mark.parametrize("name", FAST)
def test_an_annotator_that_fit_never_saw_is_named(name: str) -> None:
    votes, gold, _ = world(4, n=30)
    model = LABEL_MODELS[name](Priors(), 0).fit(votes, K, gold)
    with pytest.raises(ValueError, match="function:new"):
        model.predict_proba(Votes.of_one("function:new", np.zeros(2, int), K + 1))
    with pytest.raises(ValueError, match="fit it first"):
        LABEL_MODELS[name](Priors(), 0).predict_proba(votes)


@pytest.mark.parametrize("name", FAST)
def test_no_votes_at_all_give_the_prior(name: str) -> None:
    votes = Votes.from_dense(np.empty((4, 0), int), (), 2)
    proba = LABEL_MODELS[name](Priors(), 0).fit(votes, 2, np.full(4, -1)).predict_proba(votes)
    np.testing.assert_allclose(proba, 0.5)


def test_majority_weighs_votes_by_expected_accuracy_and_ignores_abstentions() -> None:
    votes = Votes.from_dense(np.array([[1, -1]]), ("function:a", "function:b"), 2)
    votes = Votes.concat_annotators(votes, Votes.of_one("tier:crowd", np.array([0]), 2))
    model = MajorityVote(Priors({"crowd": 0.9})).fit(votes, 2, np.array([-1]))
    odds = np.log(3) - np.log(9)
    np.testing.assert_allclose(model.predict_proba(votes)[0, 1], 1 / (1 + np.exp(-odds)))


def test_dawid_skene_without_priors_to_speak_of_is_classic_maximum_likelihood() -> None:
    """One round by hand: three workers, votes weighted by the majority's soft labels."""
    votes, _ = Votes.from_table([0, 0, 0, 1, 1, 1], ["a", "b", "c"] * 2, [0, 0, 1, 1, 1, 1])
    settings_ = DawidSkeneSettings(max_rounds=1, balance_pseudo=1e-9)
    priors = _Faint({"crowd": 0.75})
    model = DawidSkene(priors, settings=settings_).fit(votes, 2, np.full(2, -1))
    q = np.array([1 / (1 + 1 / 3), 1 / (1 + 27)])  # P(class 0) by odds 3^(2-1) and 3^-3
    prior, tables = model.symbol_likelihoods()
    np.testing.assert_allclose(np.exp(prior), [q.mean(), 1 - q.mean()], atol=1e-6)
    theta = np.exp(tables["tier:crowd@a"])  # worker a said 0 on item 0 and 1 on item 1
    np.testing.assert_allclose(theta[0], [q[0] / q.sum(), (1 - q[0]) / (2 - q.sum())], atol=1e-6)


class _Faint(Priors):
    def strength(self, key: str) -> float:
        return 1e-9


def test_dawid_skene_learns_that_a_worker_lies() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 200)
    right = [np.where(random.random(200) < 0.9, truth, 1 - truth) for _ in range(4)]
    matrix = np.stack([*right, 1 - truth], axis=1)
    votes, _ = Votes.from_table(np.repeat(np.arange(200), 5), list("abcde") * 200, matrix.ravel())
    model = DawidSkene().fit(votes, 2, np.full(200, -1))
    theta = np.exp(model.symbol_likelihoods()[1]["tier:crowd@e"])
    assert theta[1, 0] > 0.9
    assert (model.predict_proba(votes).argmax(axis=1) == truth).mean() > 0.97


def test_known_labels_teach_dawid_skene_what_symbols_mean() -> None:
    _, gold, truth = world(5, n=400, gold=0)
    turned = Votes.of_one("function:turned", (truth + 1) % K, K + 1)
    gold[:] = truth
    model = DawidSkene().fit(turned, K, gold)
    assert (model.predict_proba(turned).argmax(axis=1) == truth).all()


def test_silence_of_a_one_class_function_speaks_against_its_class() -> None:
    truth = np.repeat([0, 1], 50)
    matrix = np.where(truth == 1, 1, -1)[:, None]
    votes = Votes.from_dense(matrix, ("function:only",), 2)
    proba = DawidSkene().fit(votes, 2, truth).predict_proba(votes)
    assert proba[0, 0] > 0.6
    deaf = DawidSkene(settings=DawidSkeneSettings(abstain_weight=0.0)).fit(votes, 2, truth)
    np.testing.assert_allclose(deaf.predict_proba(votes)[0], 0.5)


def test_snorkel_agrees_with_its_own_prediction_on_functions_alone() -> None:
    from snorkel.labeling.model import LabelModel

    random = np.random.default_rng(7)
    truth = random.integers(0, 2, 500)
    matrix = np.stack(
        [np.where(random.random(500) < 0.5, truth ^ (random.random(500) < 0.2), -1) for _ in range(4)], axis=1
    )
    votes = Votes.from_dense(matrix, [f"function:f{j}" for j in range(4)], 2)
    ours = SnorkelLabelModel(seed=3).fit(votes, 2, np.full(500, -1)).predict_proba(votes)
    peer = LabelModel(cardinality=2, verbose=False)
    peer.fit(matrix, class_balance=[0.5, 0.5], n_epochs=100, seed=3, progress_bar=False)
    np.testing.assert_allclose(ours, peer.predict_proba(matrix), atol=1e-5)


def test_known_labels_count_in_the_tables_that_snorkel_cannot_hold() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400)
    guesses = Votes.from_dense(random.integers(0, 2, (400, 3)), [f"function:f{j}" for j in range(3)], 2)
    votes = Votes.concat_annotators(guesses, Votes.of_one("tier:crowd", truth, 2))
    _, tables = SnorkelLabelModel().fit(votes, 2, truth).symbol_likelihoods()
    assert np.exp(tables["tier:crowd"]).diagonal().min() > 0.95


ALONE = """
import numpy as np
from models.label_model.snorkel_model import SnorkelLabelModel
from models.votes import Votes

matrix = np.random.default_rng(6).integers(-1, 2, (60, 4))
votes = Votes.from_dense(matrix, [f"function:f{column}" for column in range(4)], 2)
np.random.seed(11)
expected = np.random.random()
np.random.seed(11)
SnorkelLabelModel().fit(votes, 2, np.full(60, -1))
assert np.random.random() == expected
"""


def test_snorkel_leaves_global_randomness_alone() -> None:
    """In a process of its own: threads that other tests left behind may draw as well."""
    subprocess.run([sys.executable, "-c", ALONE], check=True)


def test_snorkel_says_when_there_are_too_few_functions() -> None:
    votes = Votes.from_dense(np.array([[0, 1, -1]]), ("function:a", "function:b", "function:mute"), 2)
    with pytest.raises(ValueError, match="2 functions vote here; its label model needs 3"):
        SnorkelLabelModel().fit(votes, 2, np.array([-1]))


def test_dense_matrix_is_the_inverse_of_from_dense() -> None:
    matrix = np.array([[0, -1], [1, 2], [-1, -1]])
    votes = Votes.from_dense(matrix, ("function:a", "function:b"), 3)
    assert dense_matrix(votes, np.array([0, 1]), 3).tolist() == matrix.tolist()


def test_merging_keeps_what_models_can_tell_apart() -> None:
    votes, _ = Votes.from_table([0, 0, 1, 1, 2, 3], list("abbaaa"), [0, 1, 1, 0, 0, 0], n_classes=2)
    patterns = merge(votes, np.array([-1, -1, -1, 1]))
    assert sorted(patterns.weight) == [1, 1, 2]
    assert patterns.inverse[0] == patterns.inverse[1]
    assert patterns.mark[patterns.inverse[3]] == 1
    assert len({*patterns.inverse}) == 3


def test_expected_tables_are_smoothed_counts() -> None:
    votes = Votes.of_one("tier:crowd", np.array([0, 0, 1]), 2)
    posterior = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    table = expected_tables(votes, posterior, Priors({"crowd": 0.75}))["tier:crowd"]
    np.testing.assert_allclose(np.exp(table), [[32 / 42, 10 / 41], [10 / 42, 31 / 41]])
    half = expected_tables(votes, posterior, Priors({"crowd": 0.75}), np.full(3, 0.5))["tier:crowd"]
    np.testing.assert_allclose(np.exp(half)[0], [31 / 41, 10 / 40.5])


@settings(max_examples=50, deadline=None)
@given(
    totals=st.lists(st.floats(0, 1e5), min_size=4, max_size=4),
    balance=st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
)
def test_prior_tables_are_distributions_over_symbols(totals: list[float], balance: list[float]) -> None:
    shares = np.array(balance) / sum(balance)
    for key, size in (("function:f", 4), ("classifier", 12), ("tier:crowd", 3)):
        table = Priors().confusion(key, np.resize(totals, size), shares)
        np.testing.assert_allclose(table.sum(axis=0), 1)
        assert (table >= 0).all()


def test_prior_of_the_classifier_grows_with_its_confidence() -> None:
    table = Priors().confusion("classifier", np.ones(8), np.array([0.5, 0.5]))
    odds = table[:4, 0] / table[:4, 1]
    np.testing.assert_allclose(odds / (1 + odds), [0.55, 0.70, 0.85, 0.95])
    np.testing.assert_allclose(bin_accuracies(2), [0.55, 0.95])
    np.testing.assert_allclose(log_odds(0.75, 2), np.log(3))


def test_symbols_that_fit_no_class_count_are_refused() -> None:
    with pytest.raises(ValueError, match="tier:crowd: 4 symbols do not fit 3 classes"):
        Priors().vote_odds("tier:crowd", 4, 3)


def test_class_balance_is_smoothed() -> None:
    np.testing.assert_allclose(class_balance(np.array([[1.0, 0.0], [1.0, 0.0]])), [0.75, 0.25])


@pytest.mark.skipif("LABELLOOP_DATA" not in os.environ, reason="LABELLOOP_DATA is not set")
def test_bluebird_crowd_reaches_the_published_figures() -> None:
    lines = (Path(os.environ["LABELLOOP_DATA"]) / "crowd_bluebird.csv").read_text().split()[1:]
    rows = np.array([[int(cell) for cell in line.split(",")] for line in lines])
    votes, tasks = Votes.from_table(rows[:, 0].tolist(), rows[:, 1].tolist(), rows[:, 2])
    truth_of = dict(zip(rows[:, 0].tolist(), rows[:, 3].tolist(), strict=True))
    truth = np.array([truth_of[task] for task in tasks])
    nothing = np.full(len(truth), -1)
    accuracy = {
        name: (
            LABEL_MODELS[name](Priors(), 0).fit(votes, 2, nothing).predict_proba(votes).argmax(1) == truth
        ).mean()
        for name in FAST
    }
    assert accuracy["majority"] == pytest.approx(0.759, abs=0.01)
    # .89 by undamped votes; with 39 of them an item, damped ones leave two of 108 items to the prior
    assert accuracy["dawid_skene"] >= 0.865


@pytest.mark.parametrize("name", ["hbcc", "pool"])
def test_a_model_that_always_says_the_same_teaches_by_how_sure_it_is(name: str) -> None:
    """Small language models name one class whatever they read, but are less sure of it where it is wrong."""
    random = np.random.default_rng(11)
    n = 400
    truth = random.integers(0, 2, n)
    confidence = np.where(truth == 1, random.choice(4, n, p=[0, 0.1, 0.2, 0.7]), random.choice(4, n))
    function = np.where(random.random(n) < 0.3, np.where(random.random(n) < 0.7, truth, 1 - truth), -1)
    without = Votes.from_dense(function[:, None], ["function:f@0"], 2)
    votes = Votes.concat_annotators(without, Votes.of_one("llm:cheap/plain@0", 4 + confidence, 8))
    gold = np.where(np.arange(n) < 60, truth, -1)

    def loss(given: Votes) -> float:
        proba = LABEL_MODELS[name](Priors({"cheap": 0.6}), 0).fit(given, 2, gold).predict_proba(given)
        return float(-np.log(proba[np.arange(60, n), truth[60:]]).mean())

    assert loss(votes) < loss(without) - 0.05


def test_a_language_model_is_expected_to_be_as_right_as_its_tier_and_more_so_the_surer_it_is() -> None:
    stated = Priors({"cheap": 0.6, "dear": 0.9})
    cheap, dear = (stated.bin_accuracies(f"llm:{name}/x@1", 4) for name in ("cheap", "dear"))
    assert (np.diff(cheap) > 0).all()
    assert (dear > cheap).all()
    odds = np.log(cheap / (1 - cheap))
    assert odds.mean() == pytest.approx(np.log(0.6 / 0.4))
    table = stated.confusion("llm:cheap/x@1", np.full(8, 3.0), np.full(2, 0.5))
    np.testing.assert_allclose(table.sum(axis=0), 1)
