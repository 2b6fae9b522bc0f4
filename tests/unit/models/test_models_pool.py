"""The pool and cross-validation: what a twin may not know, how members are weighed, what copies may do."""

import numpy as np
import pytest

from models.arrays import UNKNOWN, softmax
from models.calibration import fit_temperature
from models.label_model.hbcc import HBCC
from models.label_model.held_out import Candidate, cross_fit, held_out
from models.label_model.majority import MajorityVote
from models.label_model.mixture import mixture_posterior
from models.label_model.pool import Pool
from models.label_model.priors import Priors
from models.label_model.protocol import HeldOut, Member
from models.label_model.untested import FEWEST_JUDGED, UNTRAINED_TEMPERATURE
from models.label_model.weighted_vote import WeightedVote
from models.votes import Votes, log_scores

FOLDS = 5


def world(
    seed: int, n: int = 400, n_gold: int = 50, accuracies: tuple[float, ...] = (0.9, 0.75, 0.7, 0.6)
) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Binary functions that speak on 70 % of the items, and a crowd; votes, gold, truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, n)

    def noisy(accuracy: float) -> np.ndarray:
        return np.where(random.random(n) < accuracy, truth, 1 - truth)

    matrix = np.stack([np.where(random.random(n) < 0.7, noisy(a), -1) for a in accuracies], axis=1)
    votes = Votes.from_dense(matrix, [f"function:f{j}" for j in range(len(accuracies))], 2)
    votes = Votes.concat_annotators(votes, Votes.of_one("tier:crowd@w", noisy(0.8), 2))
    gold = np.full(n, UNKNOWN)
    known = random.permutation(n)[:n_gold]
    gold[known] = truth[known]
    return votes, gold, truth


def log_loss(proba: np.ndarray, truth: np.ndarray) -> float:
    return float(-np.log(proba[np.arange(len(truth)), truth]).mean())


def same(one: tuple[Member, ...], other: tuple[Member, ...]) -> bool:
    """Whether two mixtures are equal but for rounding."""
    return [member.name for member in one] == [member.name for member in other] and all(
        np.allclose(numbers(a), numbers(b), rtol=0, atol=1e-9) for a, b in zip(one, other, strict=True)
    )


def numbers(member: Member) -> np.ndarray:
    tables = [table.ravel() for table in member.tables.values()]
    return np.concatenate([[member.temperature, member.weight], member.prior, *tables])


def fit_twins(name: str, votes: Votes, gold: np.ndarray, judged: np.ndarray, folds: np.ndarray) -> HeldOut:
    makers = {"pool": lambda: Pool(seed=1), "hbcc": HBCC, "weighted_vote": WeightedVote}
    return held_out(makers[name], votes, 2, gold, judged, folds)


@pytest.mark.parametrize("name", ["pool", "hbcc", "weighted_vote"])
def test_a_twin_knows_no_gold_of_its_fold(name: str) -> None:
    votes, gold, _ = world(1)
    folds = np.arange(400) % FOLDS
    judged = (gold != UNKNOWN) & (np.arange(400) % 7 > 0)
    turned = np.where((folds == 2) & (gold != UNKNOWN), 1 - gold, gold)
    before, after = (fit_twins(name, votes, known, judged, folds) for known in (gold, turned))
    assert len(before.held) == FOLDS
    assert same(before.held[2], after.held[2])
    assert not same(before.held[1], after.held[1])
    assert not same(before.members, after.members)


@pytest.mark.parametrize("name", ["pool", "hbcc", "weighted_vote"])
def test_gold_that_is_not_judged_teaches_but_does_not_weigh(name: str) -> None:
    votes, gold, _ = world(2)
    folds = np.arange(400) % FOLDS
    nobody = np.zeros(400, np.bool_)
    fitted = fit_twins(name, votes, gold, nobody, folds)
    assert {member.temperature for member in fitted.members} == {UNTRAINED_TEMPERATURE}
    assert not same(fitted.members, fit_twins(name, votes, np.full(400, UNKNOWN), nobody, folds).members)


def test_temperature_and_weights_follow_from_out_of_fold_scores() -> None:
    """One candidate recomputed fold by fold; then two, weighed by the floored likelihood and their shares."""
    votes, gold, _ = world(3)
    folds = np.arange(400) % FOLDS
    judged = gold != UNKNOWN
    both = [Candidate("vote", WeightedVote(), share=0.2), Candidate("majority", MajorityVote(), share=0.8)]
    vote, majority = cross_fit(both, votes, 2, gold, judged, folds, twins=False).members
    scores = np.zeros((400, 2))
    for fold in range(FOLDS):
        (member,) = WeightedVote().fit(votes, 2, np.where(folds == fold, UNKNOWN, gold)).members()
        scores[folds == fold] = log_scores(votes, member.prior, member.tables)[folds == fold]
    assert vote.temperature == pytest.approx(fit_temperature(scores[judged], gold[judged]))

    def evidence(member: Member, seen: np.ndarray) -> float:
        given = softmax(member.temperature * seen[judged])[np.arange(judged.sum()), gold[judged]]
        return float(np.log(0.98 * given + 0.01).sum())

    plain = log_scores(votes, majority.prior, majority.tables)
    odds = np.log(0.2 / 0.8) + evidence(vote, scores) - evidence(majority, plain)
    assert np.log(vote.weight / majority.weight) == pytest.approx(odds)
    assert vote.weight + majority.weight == pytest.approx(1)


def test_kinds_of_model_are_believed_alike_however_many_settings_they_come_in() -> None:
    functions, _, _ = world(6)
    people, _ = Votes.from_table([0, 0, 1], ["a", "b", "a"], [0, 1, 1])
    for votes, kinds in ((functions, 5), (people, 4)):
        shares: dict[str, float] = {}
        for candidate in Pool()._candidates(votes, 2):
            kind = candidate.name if "one_coin" in candidate.name else candidate.model.name
            shares[kind] = shares.get(kind, 0.0) + candidate.share
        assert len(shares) == kinds
        assert shares == pytest.approx(dict.fromkeys(shares, 1.0))


def test_labels_asked_for_in_doubt_turn_nobody_over() -> None:
    """Without a random draw, answers about the most doubtful items alone must not spoil the others."""
    votes, _, truth = world(7, n=600, accuracies=(0.85, 0.8, 0.8))
    nothing = np.full(600, UNKNOWN)
    before = Pool().fit(votes, 2, nothing).predict_proba(votes)
    doubtful = np.argsort(before.max(axis=1))[:60]
    gold = nothing.copy()
    gold[doubtful] = truth[doubtful]
    picked = gold != UNKNOWN
    after = Pool().fit(votes, 2, gold, picked=picked).predict_proba(votes)
    accuracies = [(posterior.argmax(axis=1) == truth)[~picked].mean() for posterior in (before, after)]
    assert accuracies[1] > accuracies[0] - 0.02


def test_a_hopeless_member_is_dropped() -> None:
    votes, gold, _ = world(4, n=600, n_gold=200)
    turned = Priors({"crowd": 0.75})
    candidates = [Candidate("good", WeightedVote(turned)), Candidate("bad", _Backwards())]
    fitted = cross_fit(candidates, votes, 2, gold, gold != UNKNOWN, np.arange(600) % FOLDS)
    for members in (fitted.members, *fitted.held):
        assert [member.name for member in members] == ["good"]
        assert members[0].weight == 1.0


class _Backwards(MajorityVote):
    """Believes the opposite of what everybody says."""

    def fit(
        self,
        votes: Votes,
        n_classes: int,
        gold: np.ndarray,
        weight: np.ndarray | None = None,
        picked: np.ndarray | None = None,
    ) -> "_Backwards":
        super().fit(votes, n_classes, gold)
        self._tables = {key: -table for key, table in self._tables.items()}
        return self


def test_before_gold_functions_are_a_majority_and_people_are_learned() -> None:
    votes, _, _ = world(5)
    nothing = np.full(400, UNKNOWN)
    functions = Votes.from_dense(np.array([[0, 1], [1, -1]]), ("function:a", "function:b"), 2)
    (member,) = Pool().fit(functions, 2, np.full(2, UNKNOWN)).members()
    assert (member.name, member.temperature) == ("majority", UNTRAINED_TEMPERATURE)
    (learned,) = Pool().fit(votes, 2, nothing).members()
    assert learned.name.startswith("hbcc")
    people, _ = Votes.from_table([0, 0, 1], ["a", "b", "a"], [0, 1, 1])
    (crowd,) = Pool().fit(people, 2, np.full(2, UNKNOWN)).members()
    assert crowd.name == "hbcc(people_lam=1.0)"


@pytest.mark.parametrize("n_gold", [FEWEST_JUDGED - 1, FEWEST_JUDGED])
def test_ten_known_labels_are_needed_to_weigh_members(n_gold: int) -> None:
    votes, gold, _ = world(6, n_gold=n_gold)
    assert (len(Pool().fit(votes, 2, gold).members()) > 1) == (n_gold >= FEWEST_JUDGED)


def test_members_reproduce_the_prediction_and_weigh_one() -> None:
    votes, gold, _ = world(7)
    pool = Pool().fit(votes, 2, gold)
    np.testing.assert_array_equal(pool.predict_proba(votes), mixture_posterior(pool.members(), votes))
    assert sum(member.weight for member in pool.members()) == pytest.approx(1)
    assert all(set(member.tables) == {*votes.annotators, "tier:crowd"} for member in pool.members())


def test_the_pool_is_about_as_good_as_its_best_member_alone() -> None:
    votes, gold, truth = world(8, n=1500, n_gold=60)
    rest = gold == UNKNOWN
    pooled = log_loss(Pool().fit(votes, 2, gold).predict_proba(votes)[rest], truth[rest])
    alone = [
        log_loss(make().fit(votes, 2, gold).predict_proba(votes)[rest], truth[rest])
        for make in (MajorityVote, HBCC, WeightedVote)
    ]
    assert pooled < min(alone) + 0.01


def test_eight_copies_of_the_worst_function_change_nothing_that_matters() -> None:
    votes, gold, truth = world(9, n=1500, n_gold=0, accuracies=(0.8, 0.75, 0.7, 0.55))
    worst = votes.annotators.index("function:f3")
    own = votes.annotator == worst
    copies = votes
    for copy in range(8):
        symbols = votes.symbol[own]
        copies = Votes.concat_annotators(
            copies,
            Votes(1500, (f"function:copy{copy}",), (3,), votes.row[own], np.zeros(own.sum(), int), symbols),
        )
    known = np.random.default_rng(0).permutation(1500)[:50]
    for n_gold in (0, 50):
        gold = np.full(1500, UNKNOWN)
        gold[known[:n_gold]] = truth[known[:n_gold]]
        plain = Pool().fit(votes, 2, gold).predict_proba(votes)
        copied = Pool().fit(copies, 2, gold).predict_proba(copies)
        np.testing.assert_allclose(copied, plain, atol=0.02)


def test_a_weight_stands_for_equal_items() -> None:
    votes, gold, _ = world(10, n=120, n_gold=30)
    weight = np.where(gold == UNKNOWN, 3.0, 1.0)
    repeated = np.repeat(np.arange(120), weight.astype(int))
    light = Pool().fit(votes, 2, gold, weight).predict_proba(votes)
    full = Pool().fit(votes.take(repeated), 2, gold[repeated]).predict_proba(votes)
    np.testing.assert_allclose(light, full, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_degenerate_input_gives_probabilities(n_classes: int) -> None:
    for votes in (
        Votes.from_dense(np.empty((20, 0), int), (), n_classes),
        Votes.from_dense(np.full((20, 2), -1), ("function:a", "function:b"), n_classes),
        Votes(20, ("tier:a@x",), (n_classes,), [], [], []),
        Votes.of_one("classifier", np.zeros(20, int), 4 * n_classes),
    ):
        proba = Pool().fit(votes, n_classes, np.zeros(20, int)).predict_proba(votes)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        assert (proba[:, 0] > 1 / n_classes - 1e-9).all()


def test_an_unfitted_pool_says_so() -> None:
    with pytest.raises(ValueError, match="fit it first"):
        Pool().members()
