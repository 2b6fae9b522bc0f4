"""Which answers are taken as the truth about an item."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, Subquery, func, select

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
