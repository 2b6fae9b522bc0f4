"""From votes and answers to a candidate: choice, honesty of held-out figures, promotion."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.bundle import Bundle
from models.label_model.registry import LABEL_MODELS
from models.response_style import STYLE
from models.training import Candidate, TrainingData, TrainingOptions, train
from models.votes import Votes

CLASSES = ("ham", "spam")
BOTH = TrainingOptions(label_models=("majority", "dawid_skene"), seed=1)


def stream(
    seed: int = 0, n: int = 600, audits: int = 80, vectors: bool = True, liar: bool = False
) -> tuple[TrainingData, np.ndarray]:
    """Items with five functions (one of them a liar, perhaps) and informative vectors; data and truth."""
    random = np.random.default_rng(seed)
    truth = (random.random(n) < 0.35).astype(np.int64)
    accuracy = [0.8, 0.75, 0.7, 0.65, 0.05 if liar else 0.7]
    columns = [
        np.where(random.random(n) < 0.5, np.where(random.random(n) < a, truth, 1 - truth), -1)
        for a in accuracy
    ]
    votes = Votes.from_dense(np.stack(columns, axis=1), [f"function:f{j}@0" for j in range(5)], 2)
    points = np.eye(6)[truth] + random.normal(0, 0.5, (n, 6))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    audited = np.zeros(n, bool)
    audited[random.permutation(n)[:audits]] = True
    data = TrainingData(
        classes=CLASSES,
        votes=votes,
        expert=np.where(audited, truth, -1),
        audited=audited,
        fresh=audited.copy(),
        vectors=points.astype(np.float32) if vectors else None,
        groups=np.arange(n),
        tier_accuracy={"crowd": 0.8, "expert": 0.98},
        encoder="tiny" if vectors else None,
    )
    return data, truth


def quietly(
    data: TrainingData, options: TrainingOptions = BOTH, champion: Bundle | None = None
) -> Candidate[Bundle]:
    return train(data, options, champion, lambda _: None)


def test_the_next_stream_is_compared_with_recent_items_alone() -> None:
    data, _ = stream(n=300)
    assert data.vectors is not None
    recent = np.arange(300) >= 200
    reference = quietly(
        replace(data, recent=recent), replace(BOTH, label_models=("majority",))
    ).bundle.reference
    np.testing.assert_allclose(reference.mean, data.vectors[200:].mean(axis=0), atol=1e-6)
    assert {counts.sum() for counts in reference.symbols.values()} == {100}


def decide(bundle: Bundle, data: TrainingData) -> np.ndarray:
    """Posterior as a worker computes it."""
    votes = data.votes
    if bundle.head is not None and data.vectors is not None:
        proba = bundle.classify(data.vectors, data.groups)
        votes = Votes.concat_annotators(votes, bundle.classifier_votes(proba))
    return bundle.posterior(votes)


def test_a_candidate_beats_the_priors_on_items_that_nobody_answered() -> None:
    data, truth = stream(liar=True)
    candidate = quietly(data)
    rest = ~data.audited
    trained = (decide(candidate.bundle, data).argmax(axis=1) == truth)[rest].mean()
    priors = Bundle.from_priors(CLASSES, data.tier_accuracy)
    untrained = (decide(priors, data).argmax(axis=1) == truth)[rest].mean()
    assert trained > 0.9 > untrained
    assert candidate.promoted
    assert "better" in candidate.reason
    assert candidate.bundle.encoder == "tiny"


def test_held_out_figures_match_what_happens_to_unanswered_items() -> None:
    data, truth = stream(seed=3, n=3000, audits=600)
    candidate = quietly(data)
    rest = ~data.audited
    posterior = decide(candidate.bundle, data)[rest]
    right = posterior.argmax(axis=1) == truth[rest]
    assert candidate.evaluation.metrics["accuracy"] == pytest.approx(right.mean(), abs=0.04)
    assert candidate.bundle.scores(posterior).mean() == pytest.approx(right.mean(), abs=0.03)
    assert candidate.evaluation.metrics["calibration_error"] < 0.06


def test_the_acceptance_score_is_learned_from_audits() -> None:
    """Functions that copy each other are as right alone as together: no temperature can say so."""
    data, truth = stream(seed=8, n=2000, audits=1000, vectors=False)
    random = np.random.default_rng(8)
    copied = np.where(random.random(2000) < 0.75, truth, 1 - truth)
    matrix = np.where(random.random((2000, 5)) < 0.5, copied[:, None], -1)
    votes = Votes.from_dense(matrix, data.votes.annotators, 2)
    bundle = quietly(replace(data, votes=votes), TrainingOptions(label_models=("majority",))).bundle
    alone, together = bundle.posterior_dense(
        np.array([[1, -1, -1, -1, -1], [1, 1, 1, 1, 1]]), data.votes.annotators
    ).max(axis=1)
    scored = bundle.calibration.apply([alone, together])
    assert scored[1] - scored[0] < (together - alone) / 2
    assert scored.mean() == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_a_handful_of_items_is_enough_to_begin(n: int) -> None:
    data, _ = stream(n=n, audits=1)
    candidate = quietly(data)
    assert np.isfinite(decide(candidate.bundle, data)).all()


def test_an_answer_does_not_shine_through_its_own_evaluation() -> None:
    """Votes and vectors without meaning: whoever looks better than a guess has seen the answers."""
    data, _ = stream(seed=4, n=400, audits=300)
    random = np.random.default_rng(9)
    noise = np.where(random.random((400, 5)) < 0.5, random.integers(0, 2, (400, 5)), -1)
    data = replace(
        data,
        votes=Votes.from_dense(noise, data.votes.annotators, 2),
        vectors=random.normal(size=(400, 6)).astype(np.float32),
        expert=np.where(data.audited, random.integers(0, 2, 400), -1),
    )
    metrics = quietly(data).evaluation.metrics
    assert metrics["accuracy"] < 0.58
    assert metrics["log_loss"] > 0.67


def test_copies_of_a_text_stay_on_one_side() -> None:
    """Labels that only copies share look learnable unless folds go by group."""
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(100), 4)
    vectors = random.normal(size=(100, 60))[groups].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    answers = random.integers(0, 2, 100)[groups]
    everyone = np.ones(400, bool)
    votes = Votes.from_dense(np.full((400, 1), -1), ("function:mute",), 2)
    data = TrainingData(CLASSES, votes, answers, everyone, everyone, vectors, groups, {}, "tiny")
    apart = quietly(replace(data, groups=np.arange(400))).evaluation.metrics["accuracy"]
    together = quietly(data).evaluation.metrics["accuracy"]
    assert apart > 0.9
    assert together < 0.65


def test_with_few_audited_answers_votes_count_half_and_it_says_so() -> None:
    data, _ = stream(audits=9)
    said: list[str] = []
    candidate = train(data, BOTH, None, said.append)
    assert candidate.bundle.label_model == "pool"
    (member,) = candidate.bundle.members
    assert member.temperature == 0.5
    assert any("only 9 audited answers" in line for line in said)
    assert candidate.promoted
    assert candidate.reason.startswith("first bundle")


def test_answers_that_were_not_drawn_at_random_judge_nothing() -> None:
    data, _ = stream()
    nobody = np.zeros(600, bool)
    metrics = quietly(replace(data, audited=nobody, fresh=nobody)).evaluation.metrics
    assert metrics["audited"] == 0
    assert metrics["experts"] == 80
    assert math.isnan(metrics["log_loss"])


def test_a_candidate_that_knows_no_more_than_the_champion_does_not_replace_it() -> None:
    data, _ = stream()
    champion = quietly(data).bundle
    candidate = quietly(replace(data, fresh=np.zeros(600, bool)), champion=champion)
    assert not candidate.promoted
    assert candidate.reason.startswith("not better")
    assert candidate.reason.endswith("on all 80 audited answers, 0 of them fresh")


def test_a_candidate_that_knows_much_more_is_promoted_on_all_answers_where_few_are_fresh() -> None:
    data, truth = stream(seed=7, n=800, audits=400, liar=True)
    few = data.audited.copy()
    few[np.flatnonzero(few)[12:]] = False
    start = replace(data, audited=few, fresh=few.copy(), expert=np.where(few, truth, -1), vectors=None)
    champion = quietly(start).bundle
    fresh = np.zeros(800, bool)
    fresh[np.flatnonzero(data.audited & ~few)[:9]] = True
    candidate = quietly(replace(data, fresh=fresh), champion=champion)
    assert candidate.promoted, candidate.reason
    assert candidate.reason.endswith("on all 400 audited answers, 9 of them fresh")


def test_a_comparison_on_all_answers_leaves_out_items_from_before_the_stream_changed() -> None:
    data, _ = stream()
    timely = data.audited & (np.arange(600) >= 300)
    candidate = quietly(
        replace(data, fresh=np.zeros(600, bool), timely=timely), champion=quietly(data).bundle
    )
    assert candidate.evaluation.metrics["compared"] == timely.sum()


def test_a_candidate_worse_than_the_champion_is_not_promoted() -> None:
    """The champion learned from fifty times the answers."""
    plenty, _ = stream(seed=5, n=4000, audits=3000)
    champion = quietly(plenty).bundle
    few, _ = stream(seed=6, n=60, audits=60)
    candidate = quietly(few, champion=champion)
    assert not candidate.promoted
    assert candidate.reason.startswith("not better")
    metrics = candidate.evaluation.metrics
    assert metrics["compared_log_loss"] > metrics["compared_log_loss_champion"]


def test_a_champion_with_another_encoder_is_judged_without_its_classifier() -> None:
    data, _ = stream()
    champion = replace(quietly(data).bundle, encoder="another")
    assert quietly(data, champion=champion).promoted


def test_the_label_model_with_the_least_loss_wins() -> None:
    data, _ = stream(liar=True, vectors=False, n=2000, audits=200)
    candidate = quietly(data)
    metrics = candidate.evaluation.metrics
    assert metrics["log_loss_dawid_skene"] < metrics["log_loss_majority"]
    assert candidate.bundle.label_model == "dawid_skene"
    assert candidate.bundle.head is None


def test_a_model_that_cannot_hold_the_votes_is_left_out() -> None:
    data, _ = stream(vectors=False)
    two = Votes.from_dense(np.zeros((600, 2), int), ("function:a", "function:b"), 2)
    said: list[str] = []
    options = TrainingOptions(label_models=("snorkel",))
    candidate = train(replace(data, votes=two), options, None, said.append)
    assert candidate.bundle.label_model == "pool"
    assert any(line.startswith("snorkel left out: snorkel: 2 functions") for line in said)


def test_every_label_model_competes() -> None:
    data, _ = stream(vectors=False, n=300)
    metrics = quietly(data, TrainingOptions(tuple(LABEL_MODELS))).evaluation.metrics
    for name in LABEL_MODELS:
        assert np.isfinite(metrics[f"log_loss_{name}"])


def test_the_pool_is_the_label_model_unless_others_are_named() -> None:
    data, _ = stream(vectors=False, n=300)
    candidate = quietly(data, TrainingOptions())
    assert candidate.bundle.label_model == "pool"
    assert sum(member.weight for member in candidate.bundle.members) == pytest.approx(1)
    (losses,) = candidate.member_losses
    assert {member.name for member in candidate.bundle.members} <= losses.keys()


def test_the_classifier_is_one_annotator_of_the_posterior() -> None:
    """Functions that say nothing: what is known comes from the head, through every member's own table."""
    data, truth = stream(n=800, audits=120)
    silent = Votes.from_dense(np.full((800, 5), -1), data.votes.annotators, 2)
    bundle = quietly(replace(data, votes=silent), TrainingOptions()).bundle
    assert all("classifier" in member.tables for member in bundle.members)
    right = decide(bundle, replace(data, votes=silent)).argmax(axis=1) == truth
    assert right[~data.audited].mean() > 0.9


def test_what_changed_against_the_champion_is_counted() -> None:
    data, _ = stream(liar=True)
    champion = quietly(data).bundle
    same = quietly(data, champion=champion).comparison
    assert same.metrics["labels_changed"] < 0.02
    first = quietly(data).comparison
    assert first.metrics["labels_changed"] > 0.1
    assert first.before.sum() == 600


def test_training_is_reproducible_to_the_byte() -> None:
    data, _ = stream()
    assert quietly(data).bundle.to_bytes() == quietly(data).bundle.to_bytes()


def test_the_bundle_knows_what_it_rests_on() -> None:
    data, _ = stream(audits=80)
    groups = np.arange(600)
    copies = np.flatnonzero(data.audited)[:21]
    groups[copies] = groups[copies[0]]
    bundle = quietly(replace(data, groups=groups)).bundle
    assert bundle.gold.answers == 80
    assert bundle.gold.effective <= 60
    assert len(bundle.gold.by_class) == 2
    assert data.vectors is not None
    np.testing.assert_allclose(bundle.reference.mean, data.vectors.mean(axis=0), atol=1e-6)
    first = data.votes.symbol[data.votes.annotator == 0]
    assert bundle.reference.symbols["function:f0@0"].tolist() == np.bincount(first).tolist()


def test_plots_have_their_shapes() -> None:
    evaluation = quietly(stream()[0]).evaluation
    assert evaluation.confusion.shape == (2, 2)
    assert evaluation.confusion.sum() == evaluation.reliability[:, 2].sum() == 80
    assert evaluation.risk_coverage[-1, 0] == 1
    assert (np.diff(evaluation.risk_coverage[:, 0]) > 0).all()
    assert evaluation.class_counts.sum() == 600


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": np.arange(599)}, "groups has 599 rows, the votes 600 items"),
        ({"expert": np.full(600, -1)}, "an audited item has no expert label"),
        ({"audited": np.zeros(600, bool)}, "a fresh item is not audited"),
        ({"timely": np.ones(600, bool)}, "a timely item is not audited"),
        ({"encoder": None}, "without the name of their encoder"),
    ],
)
def test_data_that_do_not_fit_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(stream()[0], **changes)  # type: ignore[arg-type]


def test_unknown_label_models_are_refused() -> None:
    with pytest.raises(ValueError, match="metal unknown; there are majority"):
        TrainingOptions(label_models=("metal",))


def test_the_head_of_pairs_is_trained_and_keeps_the_symmetry() -> None:
    """Style decides; the classifier finds it, without having seen an item's own fold."""
    random = np.random.default_rng(4)
    vectors = random.normal(size=(400, 6 + len(STYLE))).astype(np.float32)
    truth = np.where(vectors[:, -1] > 0.3, 0, np.where(vectors[:, -1] < -0.3, 1, 2))
    votes = np.where(random.random((400, 3)) < 0.8, truth[:, None], random.integers(0, 3, (400, 3)))
    audited = np.arange(400) < 60
    data = TrainingData(
        classes=("A", "B", "tie"),
        votes=Votes.from_dense(votes, [f"function:f{j}@0" for j in range(3)], 3),
        expert=np.where(audited, truth, -1),
        audited=audited,
        fresh=audited.copy(),
        vectors=vectors,
        groups=np.arange(400),
        tier_accuracy={"expert": 0.9},
        encoder="pairs:tiny",
    )
    bundle = quietly(data, replace(BOTH, head="pairs")).bundle
    proba = bundle.classify(vectors, data.groups)
    assert (proba.argmax(axis=1) == truth)[~audited].mean() > 0.8
    for head in (bundle.head, *bundle.heads):
        assert head is not None
        turned = head.predict_proba(-vectors)
        np.testing.assert_allclose(turned, head.predict_proba(vectors)[:, [1, 0, 2]], atol=1e-12)


def test_unknown_heads_are_refused() -> None:
    with pytest.raises(ValueError, match=r"head: tree unknown; there are softmax, pairs"):
        TrainingOptions(head="tree")
