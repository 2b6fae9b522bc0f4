"""Answers of people and language models as votes: who speaks, and in which symbols."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from daemon.core.rows import Answer
from daemon.core.states import AnnotatorKind
from labeling_functions.llm.symbols import N_BINS, symbols
from models.votes import LLM, TIER, Votes, family, is_person, kind, person_key

FEWEST_ANSWERS = 10
"""Of one person, below which the person is not told apart from the others of the tier. In six recorded crowds
tables of those with fewer brought nothing (accuracy .821 of .822)."""

MOST_PEOPLE = 500
"""Told apart at most, those who answered most: each one costs every fit of every label model."""


def tier_key(tier: str) -> str:
    """Annotator key of the people of a tier who are not told apart."""
    return f"{TIER}:{tier}"


def answer_key(answer: Answer) -> str | None:
    """Annotator key of whoever gave an answer; None for somebody of no tier, whose answers are no votes.

    Each version of a way of asking a language model is an annotator of its own, and each person by an id:
    names stay in the database.
    """
    if answer.kind == AnnotatorKind.LLM:
        return f"{LLM}:{answer.name}@{answer.version}"
    return None if answer.tier is None else person_key(answer.tier, answer.annotator)


def told_apart(answers: Iterable[Answer]) -> frozenset[str]:
    """Keys of the people who answered often enough that the models may learn how each of them errs."""
    given = Counter(answer_key(answer) for answer in answers if answer.kind != AnnotatorKind.LLM)
    often = [(key, times) for key, times in given.most_common(MOST_PEOPLE) if times >= FEWEST_ANSWERS]
    return frozenset(key for key, _ in often if key is not None)


def about_facet(answers: Sequence[Answer], facet: int, n_facets: int) -> list[Answer]:
    """The answers as what they say of one facet alone: its option, and how sure they are of that."""
    if n_facets == 1:
        return list(answers)
    return [_about(answer, answer.label >> facet & 1, facet) for answer in answers]


def _about(answer: Answer, option: int, facet: int) -> Answer:
    confidence = answer.confidence
    if answer.by_class:
        applies = answer.by_class[facet]
        confidence = applies if option else 1 - applies
    return replace(answer, label=option, confidence=confidence)


def votes_of(
    answers: Sequence[Sequence[Answer]],
    n_classes: int,
    always: Sequence[str] = (),
    apart: Collection[str] | None = None,
) -> Votes:
    """Votes on n items: people say a class, language models a class and how sure they are of it.

    Args:
        answers: on each of n items.
        n_classes: K.
        always: keys of people's tiers that are among the annotators even if they said nothing. Language
            models come after them, the oldest first.
        apart: keys of people who are annotators of their own, all others one a tier; None for everybody.
    """
    given = [
        (row, _voice(key, apart), answer)
        for row, one in enumerate(answers)
        for answer in one
        if (key := answer_key(answer)) is not None
    ]
    places = {key: place for place, key in enumerate(_keys(given, always))}
    said = [answer for _, _, answer in given]
    models = np.array([answer.kind == AnnotatorKind.LLM for answer in said], np.bool_)
    labels = np.array([answer.label for answer in said], np.int64)
    binned = symbols(labels.tolist(), [answer.confidence for answer in said], n_classes)
    sizes: Mapping[bool, int] = {True: n_classes * N_BINS, False: n_classes}
    return Votes(
        n_items=len(answers),
        annotators=tuple(places),
        n_symbols=tuple(sizes[kind(key) == LLM] for key in places),
        row=np.array([row for row, _, _ in given], np.int64),
        annotator=np.array([places[key] for _, key, _ in given], np.int64),
        symbol=np.where(models, binned, labels),
    )


def _voice(key: str, apart: Collection[str] | None) -> str:
    return family(key) if apart is not None and is_person(key) and key not in apart else key


def _keys(given: Sequence[tuple[int, str, Answer]], always: Sequence[str]) -> list[str]:
    people = {key for _, key, answer in given if answer.kind != AnnotatorKind.LLM}
    models = {key: answer.annotator for _, key, answer in given if answer.kind == AnnotatorKind.LLM}
    return [*always, *sorted(people - set(always)), *sorted(models, key=lambda key: models[key])]
