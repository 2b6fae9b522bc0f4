"""Which answers are taken as the truth about an item."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Integer, Select, Subquery, exists, func, literal_column, select

from daemon.adapters.store.schema import annotators, answers
from daemon.core.states import AnnotatorKind, Purpose


def first_answers(tiers: Collection[str], purposes: Collection[Purpose] = tuple(Purpose)) -> Select[Any]:
    """Ids of people's answers, one an item, its first: with a panel of experts an item has several.

    Args:
        tiers: of the people. purposes: what they were asked for; any if not given.
    """
    return (
        select(func.min(answers.c.id).label("id"))
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(
            annotators.c.kind == AnnotatorKind.PERSON.value,
            annotators.c.tier.in_(sorted(tiers)),
            answers.c.purpose.in_(sorted(purpose.value for purpose in purposes)),
            answers.c.retracted_at.is_(None),
        )
        .group_by(answers.c.item)
    )


def first_labels(tiers: Collection[str], purposes: Collection[Purpose] = tuple(Purpose)) -> Subquery:
    """`first_answers` with `id`, `item` and `labels`."""
    first = first_answers(tiers, purposes).subquery()
    return (
        select(answers.c.id, answers.c.item, answers.c.labels)
        .join(first, first.c.id == answers.c.id)
        .subquery()
    )


def newest_labels(tiers: Collection[str], count: int) -> Select[Any]:
    """The newest `count` rows of `first_labels`, newest first: `id`, `item`, `labels`.

    Read from the end, so that it takes no longer where millions have been answered. The number stands in the
    statement itself: with a parameter there PostgreSQL prepares for a tenth of the table.
    """
    people = select(annotators.c.id).where(
        annotators.c.kind == AnnotatorKind.PERSON.value, annotators.c.tier.in_(sorted(tiers))
    )
    other = answers.alias("other")
    before = exists().where(
        other.c.item == answers.c.item,
        other.c.id < answers.c.id,
        other.c.annotator.in_(people),
        other.c.retracted_at.is_(None),
    )
    return (
        select(answers.c.id, answers.c.item, answers.c.labels)
        .where(answers.c.annotator.in_(people), answers.c.retracted_at.is_(None), ~before)
        .order_by(answers.c.id.desc())
        .limit(literal_column(str(count), Integer))
    )
