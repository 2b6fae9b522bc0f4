"""What the lead's page reads: paces and disagreements of the newest rows, and sums over people's answers."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.rested import Rested
from daemon.adapters.store.schema import annotators, answers, items, questions
from daemon.core.lead_rows import Disagreement, LeadRows, Said, TierPace, WorkRecord
from daemon.core.states import AnnotatorKind, Purpose, QuestionState

HOUR = 3_600_000
DAY = 24 * HOUR
NEWEST = 5_000
"""Questions, and answers, that paces are read from."""
LOOKED_AT = 2_000
"""Newest answers among whose items disagreements are looked for."""
DISAGREEMENTS = 20


class LeadRoom:
    """`daemon.core.lead_ports.LeadStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reviewers = Rested(_reviewers)

    def lead_rows(self) -> LeadRows:
        """Paces, reviewers and disagreements, of one transaction."""
        with self._database.read() as connection:
            now = self._database.now(connection)
            return LeadRows(
                paces=_paces(connection, now),
                reviewers=self._reviewers.get(connection, now),
                disagreements=_disagreements(connection),
            )


def _paces(connection: Connection, now: int) -> list[TierPace]:
    asked_query = (
        select(questions.c.tier, questions.c.created.label("at"), questions.c.state)
        .where(questions.c.purpose != Purpose.CONTROL.value)
        .order_by(questions.c.id.desc())
        .limit(NEWEST)
    )
    answered_query = (
        select(annotators.c.tier, answers.c.at)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .order_by(answers.c.id.desc())
        .limit(NEWEST)
    )
    asked, answered = connection.execute(asked_query).all(), connection.execute(answered_query).all()
    since = max(now - HOUR, _reach(asked), _reach(answered))
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for question in asked:
        if question.at >= since and question.state != QuestionState.CANCELLED.value:
            counts[question.tier][0] += 1
    for answer in answered:
        if answer.tier is not None and answer.at >= since:
            counts[answer.tier][1] += 1
    seconds = max(now - since, 1_000) / 1_000
    return [TierPace(tier, made, given, seconds) for tier, (made, given) in sorted(counts.items())]


def _reach(rows: Sequence[Row[*tuple[Any, ...]]]) -> int:
    """From when on these newest rows are all there are."""
    return 0 if len(rows) < NEWEST else int(min(row.at for row in rows))


def _reviewers(connection: Connection, now: int) -> list[WorkRecord]:
    today = answers.c.at >= now - now % DAY
    query = (
        select(
            annotators.c.name,
            annotators.c.tier,
            func.sum(case((today, 1), else_=0)).label("today"),
            func.sum(case((today, answers.c.cost), else_=0)).label("today_micros"),
            func.max(answers.c.at).label("last_at"),
        )
        .join(answers, answers.c.annotator == annotators.c.id)
        .where(annotators.c.kind == AnnotatorKind.PERSON.value, answers.c.retracted_at.is_(None))
        .group_by(annotators.c.id, annotators.c.name, annotators.c.tier)
        .order_by(annotators.c.tier, annotators.c.name)
    )
    return [
        WorkRecord(
            name=row.name,
            tier=row.tier or "",
            today=int(row.today),
            today_micros=int(row.today_micros),
            last_at=int(row.last_at),
        )
        for row in connection.execute(query)
    ]


def _disagreements(connection: Connection) -> list[Disagreement]:
    newest = select(answers.c.item).order_by(answers.c.id.desc()).limit(LOOKED_AT)
    recent = list(dict.fromkeys(connection.execute(newest).scalars()))
    given = _standing(connection, recent)
    differing = [item for item in recent if len({bytes(one.labels) for one in given[item]}) > 1]
    shown = differing[:DISAGREEMENTS]
    wanted = select(items.c.id, items.c.payload, items.c.labels).where(among(connection, items.c.id, shown))
    found = {row.id: row for row in connection.execute(wanted)}
    return [
        Disagreement(
            item=item,
            payload=bytes(found[item].payload),
            label=label_of(found[item].labels),
            said=[
                Said(one.name, AnnotatorKind(one.kind), one.tier, label_of(one.labels)) for one in given[item]
            ],
            at=max(int(one.at) for one in given[item]),
        )
        for item in shown
        if item in found
    ]


def _standing(connection: Connection, ids: Sequence[str]) -> dict[str, list[Row[*tuple[Any, ...]]]]:
    """Item -> its standing answers, in order."""
    query = (
        select(
            answers.c.item,
            answers.c.labels,
            answers.c.at,
            annotators.c.name,
            annotators.c.kind,
            annotators.c.tier,
        )
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(among(connection, answers.c.item, ids), answers.c.retracted_at.is_(None))
        .order_by(answers.c.id)
    )
    given: dict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in connection.execute(query):
        given[row.item].append(row)
    return given
