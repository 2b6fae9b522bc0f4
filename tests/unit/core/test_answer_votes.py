"""Answers as votes: people by tier, each way of asking a language model by itself and by confidence."""

import pytest

from daemon.core.answer_votes import answer_key, votes_of
from daemon.core.rows import Answer
from daemon.core.states import AnnotatorKind, Purpose
from labeling_functions.llm.symbols import N_BINS


def of_person(tier: str | None, label: int) -> Answer:
    return Answer(1, "ann", AnnotatorKind.PERSON, tier, Purpose.SETTLE, label, 1)


def of_model(label: int, confidence: float | None, version: str = "v1", annotator: int = 7) -> Answer:
    return Answer(
        annotator, "cheap/plain", AnnotatorKind.LLM, "cheap", Purpose.SETTLE, label, 1, version, confidence
    )


def test_a_model_says_label_and_confidence_bin_a_person_the_label() -> None:
    votes = votes_of([[of_person("crowd", 1), of_model(1, 0.95)], [of_model(0, 0.3)], [of_model(1, None)]], 2)
    assert votes.annotators == ("tier:crowd", "llm:cheap/plain@v1")
    assert votes.n_symbols == (2, 2 * N_BINS)
    said = list(zip(votes.row.tolist(), votes.annotator.tolist(), votes.symbol.tolist(), strict=True))
    assert said == [(0, 0, 1), (0, 1, N_BINS + 3), (1, 1, 0), (2, 1, N_BINS + 1)]


def test_versions_are_annotators_of_their_own_the_newest_last() -> None:
    given = [[of_model(1, 0.9, "zz", annotator=3)], [of_model(1, 0.9, "aa", annotator=5)]]
    assert votes_of(given, 2).annotators == ("llm:cheap/plain@zz", "llm:cheap/plain@aa")


def test_tiers_that_said_nothing_are_there_when_asked_for() -> None:
    votes = votes_of([[], [of_person("crowd", 0)]], 3, always=["tier:experts", "tier:crowd"])
    assert votes.annotators == ("tier:experts", "tier:crowd")
    assert votes.annotator.tolist() == [1]


@pytest.mark.parametrize("answers", [[[]], [[of_person(None, 1)]]])
def test_who_belongs_to_no_tier_has_no_vote(answers: list[list[Answer]]) -> None:
    votes = votes_of(answers, 2)
    assert len(votes) == 0
    assert votes.annotators == ()


def test_a_model_that_answers_a_tier_of_people_is_still_a_model() -> None:
    assert answer_key(of_model(0, None)) == "llm:cheap/plain@v1"
    assert answer_key(of_person("cheap", 0)) == "tier:cheap"
