"""Stored items read back with all that is known about them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, select, union_all

from daemon.adapters.store.asking import UNANSWERED
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f2, f4, i1, label_of
from daemon.adapters.store.flagging import flagged
from daemon.adapters.store.schema import annotators, answers, items, questions, spend, vectors
from daemon.core.rows import Answer, OpenItem, Wanted
from daemon.core.states import AnnotatorKind, ItemState, Purpose, QuestionState

SIBLINGS = 64
"""Items of one subject that are decided together at most."""


def lock(connection: Connection, ids: Sequence[str]) -> list[Row[Any]]:
    """Rows of `items`, those that exist, in the order of their ids, locked in this order."""
    return list(
        connection.execute(
            select(items).where(among(connection, items.c.id, ids)).order_by(items.c.id).with_for_update()
        )
    )


def siblings(connection: Connection, ids: Collection[str]) -> set[str]:
    """Ids of the newest items that share a subject with one of these."""
    if not ids:
        return set()
    subjects = (
        select(items.c.subject)
        .where(among(connection, items.c.id, ids), items.c.subject.is_not(None))
        .distinct()
    )
    place = func.row_number().over(
        partition_by=items.c.subject, order_by=(items.c.arrived.desc(), items.c.id)
    )
    ranked = select(items.c.id, place.label("place")).where(items.c.subject.in_(subjects)).subquery()
    newest = select(ranked.c.id).where(ranked.c.place <= SIBLINGS)
    return set(connection.execute(newest).scalars())


def complete(connection: Connection, rows: Sequence[Row[Any]]) -> list[OpenItem]:
    """The items of these rows, with answers that stand, wanted votes, vectors and cost."""
    ids = [row.id for row in rows]
    given = _answers(connection, ids)
    wanted = _wanted(connection, ids)
    costs = _costs(connection, ids)
    stored = _vectors(connection, ids)
    passed = _passed(connection, ids)
    raised = flagged(connection, ids)
    return [
        replace(
            _item(row, given, wanted, costs, stored),
            passed=passed.get(row.id, ()),
            flagged=raised.get(row.id, ()),
        )
        for row in rows
    ]


def answer_of(row: Row[*tuple[Any, ...]]) -> Answer:
    """An answer joined with its annotator (`answer_columns`)."""
    label = label_of(row.labels)
    said = [] if row.probabilities is None else f4(row.probabilities).astype(float).tolist()
    is_set = len(row.labels) > 1
    return Answer(
        annotator=row.annotator,
        name=row.name,
        kind=AnnotatorKind(row.kind),
        tier=row.tier,
        purpose=Purpose(row.purpose),
        label=label,
        at=row.at,
        version=row.version,
        confidence=_confidence(label, said, is_set),
        by_class=tuple(said) if is_set else (),
    )


def _confidence(label: int, said: Sequence[float], is_set: bool) -> float | None:
    """In the label; of a set, in the class that the annotator is least sure about."""
    if not said:
        return None
    if not is_set:
        return said[label]
    return min(likely if label >> place & 1 else 1 - likely for place, likely in enumerate(said))


answer_columns = (
    answers.c.item,
    answers.c.annotator,
    annotators.c.name,
    annotators.c.version,
    annotators.c.kind,
    annotators.c.tier,
    answers.c.purpose,
    answers.c.labels,
    answers.c.probabilities,
    answers.c.at,
)


def _answers(connection: Connection, ids: Sequence[str]) -> dict[str, list[Answer]]:
    query = (
        select(*answer_columns)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(among(connection, answers.c.item, ids), answers.c.retracted_at.is_(None))
        .order_by(answers.c.id)
    )
    found: dict[str, list[Answer]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.item].append(answer_of(row))
    return found


def _wanted(connection: Connection, ids: Sequence[str]) -> dict[str, list[Wanted]]:
    query = (
        select(questions)
        .where(
            among(connection, questions.c.item, ids),
            questions.c.state.in_(UNANSWERED),
            questions.c.purpose != Purpose.CONTROL.value,
        )
        .order_by(questions.c.id)
    )
    found: dict[str, list[Wanted]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.item].append(
            Wanted(row.id, row.tier, Purpose(row.purpose), QuestionState(row.state), row.window, row.priority)
        )
    return found


def _passed(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    query = select(questions.c.item, questions.c.tier).where(
        among(connection, questions.c.item, ids), questions.c.state == QuestionState.PASSED.value
    )
    found: dict[str, list[str]] = defaultdict(list)
    for item, tier in connection.execute(query):
        found[item].append(tier)
    return found


def _costs(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """What was paid for people's answers, but to control questions, and for calls to language models that
    answered.
    """
    asked = (
        select(spend.c.item, func.sum(spend.c.micros).label("micros"))
        .where(
            among(connection, spend.c.item, ids),
            spend.c.state == "spent",
            spend.c.purpose != Purpose.CONTROL.value,
        )
        .group_by(spend.c.item)
    )
    called = (
        select(answers.c.item, func.sum(answers.c.cost).label("micros"))
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(among(connection, answers.c.item, ids), annotators.c.kind == AnnotatorKind.LLM.value)
        .group_by(answers.c.item)
    )
    found: dict[str, int] = defaultdict(int)
    for row in connection.execute(union_all(asked, called)):
        found[row.item] += int(row.micros)
    return found


def _vectors(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    query = select(vectors).where(among(connection, vectors.c.item, ids))
    return {row.item: (row.encoder, row.vector) for row in connection.execute(query)}


def _item(
    row: Row[Any],
    given: dict[str, list[Answer]],
    wanted: dict[str, list[Wanted]],
    costs: dict[str, int],
    stored: dict[str, tuple[str, bytes]],
) -> OpenItem:
    encoder, vector = stored.get(row.id, (None, None))
    return OpenItem(
        id=row.id,
        state=ItemState(row.state),
        functions=row.functions,
        inline=i1(row.inline),
        posterior=f4(row.posterior),
        labels=i1(row.labels),
        score=row.score,
        revision=row.revision,
        sent_back=row.sent_back,
        window=row.window,
        bundle=row.bundle,
        cost=costs.get(row.id, 0),
        payload=row.payload,
        vector=None if vector is None else f2(vector),
        encoder=encoder,
        answers=given.get(row.id, ()),
        wanted=wanted.get(row.id, ()),
        subject=row.subject,
    )
