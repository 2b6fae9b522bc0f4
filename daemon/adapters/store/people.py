"""Who answered how much, and how often beside others: what is known of people rests on that."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, select

from daemon.adapters.store.schema import annotators, answers
from daemon.core.report_rows import PersonRecord
from daemon.core.states import AnnotatorKind, PersonState


def people(connection: Connection) -> Sequence[PersonRecord]:
    """Everybody with a standing answer, by tier and name."""
    beside = _beside(connection)
    query = (
        select(annotators.c.id, annotators.c.name, annotators.c.tier, func.count().label("n"))
        .join(answers, answers.c.annotator == annotators.c.id)
        .where(annotators.c.kind == AnnotatorKind.PERSON.value, answers.c.retracted_at.is_(None))
        .group_by(annotators.c.id, annotators.c.name, annotators.c.tier)
        .order_by(annotators.c.tier, annotators.c.name, annotators.c.id)
    )
    return [
        PersonRecord(row.name, row.tier, row.n, dict(beside.get(row.id, {})))
        for row in connection.execute(query)
    ]


def paused(connection: Connection) -> dict[str, int]:
    """Tier -> people who are paused; tiers where nobody is are missing."""
    query = (
        select(annotators.c.tier, func.count())
        .where(
            annotators.c.kind == AnnotatorKind.PERSON.value,
            annotators.c.tier.is_not(None),
            annotators.c.state == PersonState.PAUSED.value,
        )
        .group_by(annotators.c.tier)
    )
    return {tier: int(count) for tier, count in connection.execute(query)}


def _beside(connection: Connection) -> dict[int, dict[str, int]]:
    """Annotator -> tier -> items that both answered; of their own tier only what others answered."""
    own, other, who = answers.alias(), answers.alias(), annotators.alias()
    query = (
        select(own.c.annotator, who.c.tier, func.count(own.c.item.distinct()).label("n"))
        .join(other, and_(other.c.item == own.c.item, other.c.annotator != own.c.annotator))
        .join(who, who.c.id == other.c.annotator)
        .where(own.c.retracted_at.is_(None), other.c.retracted_at.is_(None), who.c.tier.is_not(None))
        .group_by(own.c.annotator, who.c.tier)
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.annotator][row.tier] = row.n
    return found
