"""Who a reviewer is, what they hold, and whether a question is still theirs to answer."""

from typing import Any

from sqlalchemy import Connection, Row, func, select

from daemon.adapters.store import budget
from daemon.adapters.store.schema import annotators, answers, controls, questions
from daemon.core.errors import LeaseLost, ReviewerPaused, UnknownReviewer
from daemon.core.states import AnnotatorKind, QuestionState

OPEN, LEASED = QuestionState.OPEN.value, QuestionState.LEASED.value


def hold_reviewer(connection: Connection, person: int, tier: str | None = None) -> list[int]:
    """Ids of everybody of this name, locked: two of their screens cannot take the same item."""
    named = select(annotators.c.name).where(
        annotators.c.id == person, annotators.c.kind == AnnotatorKind.PERSON.value
    )
    rows = connection.execute(
        select(annotators.c.id, annotators.c.tier)
        .where(annotators.c.kind == AnnotatorKind.PERSON.value, annotators.c.name == named.scalar_subquery())
        .order_by(annotators.c.id)
        .with_for_update(key_share=True)
    ).all()
    tiers = {row.id: row.tier for row in rows}
    if person not in tiers or (tier is not None and tiers[person] != tier):
        where = "" if tier is None else f" of tier {tier!r}"
        raise UnknownReviewer(f"reviewer {person} is no reviewer{where}; enroll first")
    return list(tiers)


def already_held(connection: Connection, person: int, tier: str, count: int) -> list[Row[Any]]:
    """Up to `count` questions of the tier that the person holds, best first, locked."""
    query = (
        select(questions)
        .where(questions.c.holder == person, questions.c.tier == tier, questions.c.state == LEASED)
        .order_by(questions.c.priority.desc(), questions.c.id)
        .limit(count)
        .with_for_update()
    )
    return list(connection.execute(query))


def check_free(connection: Connection, row: Row[Any], person: int, now: int) -> None:
    """Late answers count while nobody else holds the question and it is still wanted."""
    if row.state not in (OPEN, LEASED):
        raise LeaseLost(f"question {row.id} is {row.state} already; take the next one")
    if row.state == LEASED and row.holder != person and row.leased_until > now:
        raise LeaseLost(f"question {row.id} went to somebody else when its lease had run out")
    check_meant_for(connection, row, person)


def check_meant_for(connection: Connection, row: Row[Any], person: int) -> None:
    """Raises LeaseLost for a question of another tier, or one that waits for somebody else."""
    tier = connection.execute(select(annotators.c.tier).where(annotators.c.id == person)).scalar_one()
    if tier != row.tier or row.reserved_for not in (None, person):
        raise LeaseLost(f"question {row.id} is meant for somebody else")


def held_by(connection: Connection, question: int, person: int) -> Row[Any] | None:
    """The question, locked, if the person holds it."""
    query = select(questions).where(
        questions.c.id == question, questions.c.holder == person, questions.c.state == LEASED
    )
    return connection.execute(query.with_for_update()).one_or_none()


def room_today(connection: Connection, person: int, capacity: int, now: int) -> int:
    """How many more questions this person may hold today (UTC), those to control questions among them.

    Raises:
        ReviewerPaused: they gave as many answers as are taken of one person.
    """
    since = now - now % budget.DAY
    given = select(func.count()).where(
        answers.c.annotator == person, answers.c.at >= since, answers.c.retracted_at.is_(None)
    )
    known = select(func.count()).where(controls.c.annotator == person, controls.c.at >= since)
    count = sum(int(connection.execute(query).scalar_one()) for query in (given, known))
    if count >= capacity:
        raise ReviewerPaused(f"you have given {count} answers today, as many as are taken of one person")
    return capacity - count
