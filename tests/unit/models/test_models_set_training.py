"""Training where any number of classes may apply: whole sets are judged, compared and scored."""

import math
from dataclasses import replace

import numpy as np
import pytest
from set_streams import CLASSES, SHARES, SetStream, stream

from models.any_training import predict_any, train_any
from models.arrays import F8, I8
from models.bundle import Bundle
from models.bundles import read_bundle
from models.evaluation import calibration_error, log_loss, reliability_bins
from models.set_bundle import APPLIES, SetBundle, facet_key
from models.set_evaluation import likelier
from models.set_training import SetData, train_sets
from models.training import Candidate, TrainingData, TrainingOptions, train
from models.votes import Votes

QUICK = TrainingOptions(label_models=("weighted_vote",), trained_at="2024-06-01T00:00:00Z")


def quietly(
    data: SetData, options: TrainingOptions = QUICK, champion: SetBundle | None = None
) -> Candidate[SetBundle]:
    return train_sets(data, options, champion, lambda _: None)


@pytest.fixture(scope="module")
def given() -> SetStream:
    return stream()


@pytest.fixture(scope="module")
def trained(given: SetStream) -> Candidate[SetBundle]:
    return quietly(given.data, TrainingOptions())


@pytest.fixture(scope="module")
def quick(given: SetStream) -> Candidate[SetBundle]:
    return quietly(given.data)


def everywhere(bundle: SetBundle, data: SetData) -> F8:
    return predict_any(bundle, data, np.arange(data.n_items))


def only(data: SetData, rows: I8) -> SetData:
    """The data of some items."""

    def cut(facet: TrainingData) -> TrainingData:
        assert facet.vectors is not None
        return replace(
            facet,
            votes=facet.votes.take(rows),
            expert=facet.expert[rows],
            audited=facet.audited[rows],
            fresh=facet.fresh[rows],
            vectors=facet.vectors[rows],
            groups=facet.groups[rows],
        )

    return SetData(data.classes, tuple(map(cut, data.facets)))


def test_scores_are_how_often_whole_sets_are_right(given: SetStream, trained: Candidate[SetBundle]) -> None:
    """On items that nobody answered; and the surer a set, the more often it is right."""
    rest = ~given.data.audited
    posterior = everywhere(trained.bundle, given.data)[rest]
    right = (likelier(posterior) == given.truth[rest]).all(axis=1)
    scores = trained.bundle.scores(posterior)
    assert 0.6 < right.mean() < 0.98
    assert calibration_error(reliability_bins(scores, right)) < 0.05
    assert scores[right].mean() > scores[~right].mean() + 0.1


def test_figures_are_those_of_items_that_nobody_answered(
    given: SetStream, trained: Candidate[SetBundle]
) -> None:
    rest = ~given.data.audited
    predicted = likelier(everywhere(trained.bundle, given.data)[rest])
    metrics = trained.evaluation.metrics
    assert metrics["accuracy"] == pytest.approx((predicted == given.truth[rest]).all(axis=1).mean(), abs=0.06)
    assert metrics["hamming_loss"] == pytest.approx((predicted != given.truth[rest]).mean(), abs=0.02)
    assert metrics["calibration_error"] < 0.08
    assert metrics["f1_macro"] < metrics["f1_micro"]
    assert trained.evaluation.confusion.sum(axis=(1, 2)).tolist() == [400] * 4
    assert (
        trained.evaluation.class_counts.tolist()
        == likelier(everywhere(trained.bundle, given.data)).sum(axis=0).tolist()
    )


def test_the_first_candidate_is_better_than_the_built_in_priors(trained: Candidate[SetBundle]) -> None:
    assert trained.promoted
    assert "of the built-in priors on 400 fresh" in trained.reason
    metrics = trained.evaluation.metrics
    assert metrics["compared_log_loss"] == pytest.approx(metrics["log_loss"])
    assert metrics["compared_log_loss_champion"] > len(SHARES) * 0.3


def test_classes_learn_as_if_each_were_alone(given: SetStream, quick: Candidate[SetBundle]) -> None:
    """A bundle of sets is as many bundles, each trained on its own facet."""
    bundle = quick.bundle
    for part, facet in zip(bundle.parts, given.data.facets, strict=True):
        alone = train(facet, QUICK, None, lambda _: None).bundle
        rows = np.arange(given.data.n_items)
        together = predict_any(part, facet, rows)
        np.testing.assert_array_equal(together, predict_any(alone, facet, rows))
    whole = everywhere(bundle, given.data)
    np.testing.assert_array_equal(whole[:, -2:], together)


def test_a_round_trip_keeps_every_byte(trained: Candidate[SetBundle]) -> None:
    data = trained.bundle.to_bytes()
    assert read_bundle(data).to_bytes() == data


def test_training_is_reproducible_to_the_byte(given: SetStream, quick: Candidate[SetBundle]) -> None:
    again = quietly(given.data)
    assert again.bundle.to_bytes() == quick.bundle.to_bytes()
    assert again.bundle.trained_at == "2024-06-01T00:00:00Z"


def test_what_the_bundle_rests_on(given: SetStream, trained: Candidate[SetBundle]) -> None:
    gold, reference = trained.bundle.gold, trained.bundle.reference
    assert gold.answers == 400
    named = given.truth[given.data.audited].sum(axis=0)
    assert all(0 < worth <= count for worth, count in zip(gold.by_class, named, strict=True))
    said = given.data.facets[2].votes
    assert (
        reference.symbols[facet_key("function:f0@0", CLASSES[2])].tolist()
        == np.bincount(said.symbol[said.annotator == 0], minlength=3).tolist()
    )
    assert given.data.vectors is not None
    np.testing.assert_allclose(reference.mean, given.data.vectors.mean(axis=0), atol=1e-6)


def test_a_candidate_is_compared_on_all_classes_at_once(
    given: SetStream, quick: Candidate[SetBundle]
) -> None:
    """Better for one class and much worse for another is not better."""
    champion = quick.bundle
    worse = quietly(only(given.data, np.arange(40)), champion=champion)
    assert not worse.promoted
    assert worse.reason.startswith("not better")
    same = quietly(given.data, champion=champion)
    assert same.comparison.metrics["labels_changed"] == 0
    np.testing.assert_array_equal(same.comparison.before, same.evaluation.class_counts)


@pytest.mark.parametrize("audits", [0, 4, 60])
def test_a_class_that_no_audit_names_breaks_nothing(audits: int) -> None:
    found = stream(seed=3, n=600, audits=audits, shares=(0.4, 0.0))
    said: list[str] = []
    candidate = train_sets(found.data, TrainingOptions(), None, said.append)
    posterior = everywhere(candidate.bundle, found.data)
    assert np.isfinite(posterior).all()
    assert candidate.promoted
    loss = log_loss(posterior[:, 2:], found.truth[:, 1]).mean()
    prior = Bundle.from_priors(APPLIES, found.data.tier_accuracy)
    facet = found.data.facets[1]
    assert loss < log_loss(predict_any(prior, facet, np.arange(600)), found.truth[:, 1]).mean() + 0.02
    assert any("praise: named by 0 of 60" in line for line in said) == (audits == 60)
    assert all(line.startswith(("billing: ", "praise: ")) for line in said)


def test_a_class_that_nobody_ever_spoke_of_breaks_nothing() -> None:
    found = stream(seed=4, n=300, audits=40)
    facet = found.data.facets[3]
    votes = Votes.from_dense(np.full((300, 4), -1), facet.votes.annotators, 2)
    silent = replace(facet, votes=votes, expert=np.where(found.data.audited, 0, -1))
    candidate = quietly(SetData(CLASSES, (*found.data.facets[:3], silent)), TrainingOptions())
    assert candidate.evaluation.confusion[3].tolist() == [[40, 0], [0, 0]]
    assert np.isfinite(candidate.evaluation.metrics["log_loss"])


def test_without_vectors_there_is_no_classifier() -> None:
    candidate = quietly(stream(n=200, audits=50, vectors=False).data)
    assert not candidate.bundle.has_classifier
    assert not len(candidate.bundle.reference.distances)


def test_without_audits_there_are_no_figures() -> None:
    metrics = quietly(stream(n=100, audits=0).data).evaluation.metrics
    for name in ("accuracy", "log_loss", "f1_macro", "f1_micro", "hamming_loss", "minority_f1"):
        assert math.isnan(metrics[name])


def test_what_is_about_single_labels_is_refused(given: SetStream) -> None:
    with pytest.raises(ValueError, match="costs of errors are for tasks with one class an item"):
        quietly(given.data, replace(QUICK, cost=np.zeros((2, 2))))
    with pytest.raises(ValueError, match="head pairs is for tasks with one class an item"):
        quietly(given.data, replace(QUICK, head="pairs"))
    with pytest.raises(ValueError, match="different kinds of tasks"):
        train_any(given.data, QUICK, Bundle.from_priors(APPLIES, {}), lambda _: None)
