"""Answers as votes: people who are told apart, and each way of asking a language model by confidence."""

import pytest

from daemon.core.answer_votes import FEWEST_ANSWERS, MOST_PEOPLE, answer_key, told_apart, votes_of
from daemon.core.rows import Answer
from daemon.core.states import AnnotatorKind, Purpose
from labeling_functions.llm.symbols import N_BINS


def of_person(tier: str | None, label: int, annotator: int = 1) -> Answer:
    return Answer(annotator, "ann", AnnotatorKind.PERSON, tier, Purpose.SETTLE, label, 1)


def of_model(label: int, confidence: float | None, version: str = "v1", annotator: int = 7) -> Answer:
    return Answer(
        annotator, "cheap/plain", AnnotatorKind.LLM, "cheap", Purpose.SETTLE, label, 1, version, confidence
    )


def test_a_model_says_label_and_confidence_bin_a_person_the_label() -> None:
    votes = votes_of([[of_person("crowd", 1), of_model(1, 0.95)], [of_model(0, 0.3)], [of_model(1, None)]], 2)
    assert votes.annotators == ("tier:crowd@1", "llm:cheap/plain@v1")
    assert votes.n_symbols == (2, 2 * N_BINS)
    said = list(zip(votes.row.tolist(), votes.annotator.tolist(), votes.symbol.tolist(), strict=True))
    assert said == [(0, 0, 1), (0, 1, N_BINS + 3), (1, 1, 0), (2, 1, N_BINS + 1)]


def test_versions_are_annotators_of_their_own_the_newest_last() -> None:
    given = [[of_model(1, 0.9, "zz", annotator=3)], [of_model(1, 0.9, "aa", annotator=5)]]
    assert votes_of(given, 2).annotators == ("llm:cheap/plain@zz", "llm:cheap/plain@aa")


def test_tiers_that_said_nothing_are_there_when_asked_for() -> None:
    votes = votes_of([[], [of_person("crowd", 0)]], 3, always=["tier:experts", "tier:crowd"])
    assert votes.annotators == ("tier:experts", "tier:crowd", "tier:crowd@1")
    assert votes.annotator.tolist() == [2]


def test_who_is_not_told_apart_speaks_as_one_of_the_tier() -> None:
    given = [
        [of_person("crowd", 0, 1), of_person("crowd", 1, 2), of_model(1, 0.9)],
        [of_person("crowd", 1, 3)],
    ]
    votes = votes_of(given, 2, always=["tier:crowd"], apart={"tier:crowd@2"})
    assert votes.annotators == ("tier:crowd", "tier:crowd@2", "llm:cheap/plain@v1")
    assert votes.annotator.tolist() == [0, 1, 2, 0]


def test_people_are_told_apart_once_they_answered_often_enough_those_who_did_most_first() -> None:
    often = [of_person("crowd", 0, 1)] * FEWEST_ANSWERS + [of_person("students", 0, 1)] * (FEWEST_ANSWERS - 1)
    assert told_apart([*often, *[of_model(0, 0.9)] * 50]) == {"tier:crowd@1"}
    many = [of_person("crowd", 0, one) for one in range(MOST_PEOPLE + 5) for _ in range(FEWEST_ANSWERS)]
    kept = told_apart([*many, of_person("crowd", 0, MOST_PEOPLE + 2)])
    assert len(kept) == MOST_PEOPLE
    assert f"tier:crowd@{MOST_PEOPLE + 2}" in kept


@pytest.mark.parametrize("answers", [[[]], [[of_person(None, 1)]]])
def test_who_belongs_to_no_tier_has_no_vote(answers: list[list[Answer]]) -> None:
    votes = votes_of(answers, 2)
    assert len(votes) == 0
    assert votes.annotators == ()


def test_a_model_that_answers_a_tier_of_people_is_still_a_model() -> None:
    assert answer_key(of_model(0, None)) == "llm:cheap/plain@v1"
    assert answer_key(of_person("cheap", 0)) == "tier:cheap@1"
