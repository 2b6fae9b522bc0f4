"""People as annotators of their own: what is known of the tier, and how each of them errs."""

from dataclasses import replace

import numpy as np
import pytest

from models.bundle import Bundle
from models.label_model.estimator import LabelAggregator
from models.label_model.hbcc import HBCC
from models.label_model.pool import Pool
from models.label_model.protocol import Member
from models.label_model.tiers import with_tiers
from models.people import confusions
from models.votes import Votes

N_ITEMS = 300
ACCURACIES = (0.95, 0.9, 0.55, 0.5)


def crowd(seed: int = 0) -> tuple[Votes, np.ndarray]:
    """Two who know, two who guess; everybody answers everything."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, N_ITEMS)
    task, worker, label = [], [], []
    for person, accuracy in enumerate(ACCURACIES):
        right = random.random(N_ITEMS) < accuracy
        task += list(range(N_ITEMS))
        worker += [person] * N_ITEMS
        label += np.where(right, truth, 1 - truth).tolist()
    return Votes.from_table(task, worker, label)[0], truth


def known(truth: np.ndarray, n: int) -> np.ndarray:
    return np.where(np.arange(len(truth)) < n, truth, -1)


def test_a_tier_is_as_good_as_a_vote_of_its_people_on_average() -> None:
    good, bad = np.log([[0.9, 0.1], [0.1, 0.9]]), np.log([[0.5, 0.5], [0.5, 0.5]])
    member = Member("m", np.zeros(2), {"tier:crowd@1": good, "tier:crowd@2": bad, "tier:crowd": bad})
    row, who = np.array([0, 1, 2, 0]), np.array([0, 0, 0, 1])
    votes = Votes(3, ("tier:crowd@1", "tier:crowd@2", "tier:crowd"), (2, 2, 2), row, who, np.zeros(4, int))
    (learned,) = with_tiers([member], votes)
    assert np.exp(learned.tables["tier:crowd"]) == pytest.approx(np.array([[0.8, 0.2], [0.2, 0.8]]))
    assert learned.tables["tier:crowd@1"] is good


def test_the_scale_of_a_persons_table_plays_no_part() -> None:
    """Log-odds and log-likelihoods say the same."""
    odds = np.diag([np.log(9.0)] * 2)
    votes = Votes(1, ("tier:crowd@1",), (2,), np.zeros(1, int), np.zeros(1, int), np.zeros(1, int))
    (learned,) = with_tiers([Member("m", np.zeros(2), {"tier:crowd@1": odds})], votes)
    assert np.exp(learned.tables["tier:crowd"]) == pytest.approx(np.array([[0.9, 0.1], [0.1, 0.9]]))


def test_a_tier_whose_people_are_not_told_apart_keeps_what_was_learned_of_it() -> None:
    table = np.log([[0.9, 0.1], [0.1, 0.9]])
    votes = Votes(1, ("tier:crowd",), (2,), np.zeros(1, int), np.zeros(1, int), np.zeros(1, int))
    (learned,) = with_tiers([Member("m", np.zeros(2), {"tier:crowd": table})], votes)
    assert learned.tables == {"tier:crowd": table}


@pytest.mark.parametrize("n_gold", [0, 60])
def test_who_guesses_is_outvoted_by_who_knows(n_gold: int) -> None:
    votes, truth = crowd()
    pool = Pool().fit(votes, 2, known(truth, n_gold))
    who, said = np.array([0, 2, 3]), np.array([1, 0, 0])
    disagreeing = Votes(1, votes.annotators, votes.n_symbols, np.zeros(3, int), who, said)
    assert pool.predict_proba(disagreeing)[0, 1] > 0.5


def test_a_newcomer_counts_as_the_tier_does() -> None:
    votes, truth = crowd()
    model = LabelAggregator("hbcc").fit(
        {
            "task": votes.row.tolist(),
            "worker": [votes.annotators[one] for one in votes.annotator.tolist()],
            "label": votes.symbol.tolist(),
        }
    )
    said = {"task": ["a", "b"], "worker": ["tier:crowd@0", "somebody"], "label": [1, 1]}
    sure_of_best, sure_of_new = model.predict_proba(said)[:, 1]
    assert 0.5 < sure_of_new < sure_of_best
    assert truth.mean() == pytest.approx(0.5, abs=0.1)


def test_confusions_tell_who_errs_how() -> None:
    votes, truth = crowd()
    members = HBCC().fit(votes, 2, known(truth, 40)).members()
    people = confusions(members, votes, known(truth, 40))
    assert set(people) == set(votes.annotators)
    rates = [np.trace(people[f"tier:crowd@{one}"]) / N_ITEMS for one in range(len(ACCURACIES))]
    assert rates == pytest.approx(list(ACCURACIES), abs=0.06)
    assert people["tier:crowd@0"].sum() == pytest.approx(N_ITEMS)


def test_answers_are_counted_by_the_class_of_their_items() -> None:
    table = np.log([[0.9, 0.2], [0.1, 0.8]])
    member = Member("m", np.log([0.5, 0.5]), {"tier:crowd@1": table, "function:f": np.zeros((3, 2))})
    row, who = np.array([0, 1, 2]), np.array([0, 0, 1])
    votes = Votes(3, ("tier:crowd@1", "function:f"), (2, 3), row, who, np.array([0, 1, 0]))
    found = confusions([member], votes, np.array([0, 1, -1]))
    assert set(found) == {"tier:crowd@1"}
    assert found["tier:crowd@1"] == pytest.approx(np.exp(table))


def test_a_bundle_keeps_how_people_err() -> None:
    bundle = Bundle.from_priors(("a", "b"), {"crowd": 0.8})
    assert Bundle.from_bytes(bundle.to_bytes()).people == {}
    told = {"tier:crowd@3": np.array([[3.0, 1.0], [0.5, 7.0]]), "tier:crowd": np.eye(2)}
    read = Bundle.from_bytes(replace(bundle, people=told).to_bytes())
    assert list(read.people) == list(told)
    assert read.people["tier:crowd@3"] == pytest.approx(told["tier:crowd@3"])
