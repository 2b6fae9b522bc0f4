"""Tables of a training run for people to look at."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.judge_rows import JudgeRecord
from daemon.core.run_tables import (
    annotator_figures,
    annotator_table,
    change_table,
    class_table,
    figures,
    judge_figures,
    judge_table,
    member_table,
    people_table,
)
from models.bundle import Bundle
from models.comparison import Comparison
from models.evaluation import Evaluation
from models.set_bundle import APPLIES, SetBundle
from models.set_training import SetData
from models.training import Candidate, TrainingData
from models.votes import Votes


def test_people_and_models_are_judged_by_the_label_that_an_expert_gave() -> None:
    functions = Votes.from_dense(np.zeros((4, 1), int), ["function:f@1"], 2)
    keys, sizes = ("tier:crowd", "llm:cheap/plain@9f", "llm:cheap/new@1"), (2, 8, 8)
    row, annotator = np.array([0, 1, 0, 1, 2]), np.array([0, 0, 1, 1, 1])
    symbol = np.array([1, 1, 4 + 3, 0, 5])  # the model: label 1 very sure, label 0 unsure, label 1
    votes = Votes.concat_annotators(functions, Votes(4, keys, sizes, row, annotator, symbol))
    data = TrainingData(
        classes=("ham", "spam"),
        votes=votes,
        expert=np.array([1, 0, 0, -1]),
        audited=np.array([True, True, False, False]),
        fresh=np.zeros(4, bool),
        vectors=None,
        groups=np.arange(4),
        tier_accuracy={},
    )
    table = annotator_table(data)
    assert [record["annotator"] for record in table] == [*keys]
    assert [(record["votes"], record["checked"], record["accuracy"]) for record in table] == [
        (2, 2, 0.5),
        (3, 3, pytest.approx(2 / 3)),
        (0, 0, None),
    ]
    assert annotator_figures(table) == pytest.approx(
        {"accuracy/tier:crowd": 0.5, "accuracy/llm:cheap/plain@9f": 2 / 3}
    )


def test_a_tier_is_told_of_as_a_whole_and_by_its_people() -> None:
    keys, row = ("tier:crowd", "tier:crowd@7", "tier:crowd@9"), np.array([0, 1, 2, 0])
    votes = Votes(3, keys, (2, 2, 2), row, np.array([0, 1, 1, 2]), np.array([1, 1, 0, 0]))
    known = np.ones(3, bool)
    data = TrainingData(("ham", "spam"), votes, np.array([1, 0, 0]), known, known, None, np.arange(3), {})
    told = [(row["annotator"], row["votes"], row["accuracy"]) for row in annotator_table(data)]
    assert told == [("tier:crowd", 4, 0.5), ("tier:crowd@7", 2, 0.5), ("tier:crowd@9", 1, 0.0)]


def test_people_are_told_by_true_class_those_not_told_apart_last() -> None:
    people = {"tier:crowd": np.diag([1.0, 2.0]), "tier:crowd@9": np.array([[6.0, 0.0], [2.0, 0.0]])}
    table = people_table(replace(Bundle.from_priors(("ham", "spam"), {}), people=people))
    assert [(one["annotator"], one["true"]) for one in table] == [
        ("tier:crowd@9", "ham"),
        ("tier:crowd@9", "spam"),
        ("tier:crowd", "ham"),
        ("tier:crowd", "spam"),
    ]
    first, unknown, *_ = table
    assert (first["expected_items"], first["said_ham"], first["said_spam"], first["right"]) == (
        8,
        0.75,
        0.25,
        0.75,
    )
    assert 0.3 < float(str(first["right_low"])) < 0.75 < float(str(first["right_high"])) < 0.97
    assert np.isnan(float(str(unknown["right"])))


def test_ratings_are_judged_by_the_steps_that_they_are_away() -> None:
    bundle = Bundle.from_priors(("1", "2", "3"), {})
    confusion = np.array([[4, 1, 0], [0, 3, 0], [2, 0, 0]])
    evaluation = Evaluation({}, confusion, np.empty((0, 3)), np.empty((0, 2)), np.zeros(3, int))
    candidate = Candidate(bundle, evaluation, Comparison(True, "better", {}, np.zeros(3, int)), ({},))
    told = figures(candidate, ordered=True)
    assert told["mean_absolute_error"] == pytest.approx(5 / 10)
    assert told["within_one_step"] == pytest.approx(8 / 10)
    assert "within_one_step" not in figures(candidate)


def test_judges_tell_how_far_they_go_by_the_order() -> None:
    judges = [JudgeRecord("llm/j", "1", 10, 4, 3, 3.0, 1.0), JudgeRecord("llm/j", "2", 20, 0, 0, 0.0, 0.0)]
    first, _ = table = judge_table(judges)
    assert (first["judge"], first["pairs"], first["contradicted"]) == ("llm/j@1", 10, 0.4)
    assert first["position_bias"] == pytest.approx(0.5 * np.log(3.5 / 1.5))
    assert len(table) == 2
    assert judge_figures(judges) == {"contradicted/llm/j": 0.0, "position_bias/llm/j": 0.0}


def facet(votes: Votes, expert: list[int]) -> TrainingData:
    n = len(expert)
    known = np.array(expert) >= 0
    return TrainingData(APPLIES, votes, np.array(expert), known, known, None, np.arange(n), {})


def answers(symbols: list[int]) -> Votes:
    """Of three items two by a language model in bins (4 and more: applies), and one by people."""
    keys, sizes = ("function:f@1", "tier:crowd", "llm:cheap/plain@9f"), (3, 2, 8)
    return Votes(3, keys, sizes, np.array([0, 1, 0]), np.array([2, 2, 1]), np.array(symbols))


def test_annotators_of_sets_are_right_if_all_classes_are() -> None:
    data = SetData(
        ("billing", "praise"), (facet(answers([7, 2, 1]), [1, 0, -1]), facet(answers([0, 5, 1]), [0, 0, -1]))
    )
    crowd, model = annotator_table(data)
    assert (crowd["annotator"], crowd["accuracy"], crowd["class_accuracy"]) == ("tier:crowd", 0.0, 0.5)
    assert (model["votes"], model["checked"]) == (2, 2)
    assert (model["accuracy"], model["class_accuracy"]) == (0.5, 0.75)


def set_candidate() -> Candidate[SetBundle]:
    bundle = SetBundle.from_priors(("billing", "praise"), {})
    confusion = np.array([[[6, 1], [1, 2]], [[10, 0], [0, 0]]])
    evaluation = Evaluation({}, confusion, np.empty((0, 3)), np.empty((0, 2)), np.array([30, 4]))
    metrics = {"compared_log_loss": 0.2, "compared_log_loss_champion": 0.3, "labels_changed": 0.25}
    comparison = Comparison(True, "better", metrics, np.array([20, 5]))
    return Candidate(bundle, evaluation, comparison, ({"majority": 0.1}, {"majority": 0.2}))


def test_each_class_of_sets_has_its_own_members_and_figures() -> None:
    candidate = set_candidate()
    billing, praise = class_table(candidate)
    assert (billing["items"], billing["audited"]) == (30, 3)
    assert [billing[name] for name in ("precision", "recall", "f1")] == pytest.approx([2 / 3] * 3)
    assert np.isnan([praise[name] for name in ("precision", "recall", "f1")]).all()
    members = member_table(candidate)
    assert [(one["class"], one["member"], one["log_loss"]) for one in members] == [
        ("billing", "majority", 0.1),
        ("praise", "majority", 0.2),
    ]
    told = figures(candidate)
    assert told["f1/billing"] == pytest.approx(2 / 3)
    assert not any(name.startswith("weight/") for name in told)
    changes = {record["what"]: record for record in change_table(candidate, candidate.bundle)}
    assert changes["items labeled billing"]["champion"] == 20
    assert changes["members"]["candidate"] == 2
