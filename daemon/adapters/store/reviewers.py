"""Reviewers as those see them who lead them."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from daemon.adapters.store import audit_log, controls, paces
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, spend
from daemon.core.account_rows import Actor
from daemon.core.errors import UnknownReviewer
from daemon.core.reviewer_rows import ReviewerRecord
from daemon.core.states import AnnotatorKind, PersonState

PACE = 50
"""Newest answers of a person whose seconds are looked at."""


class ReviewerRoom:
    """`daemon.core.reviewer_rows.ReviewerStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Make one."""
        self._database = database

    def reviewers(self) -> Sequence[ReviewerRecord]:
        """Everybody who ever enrolled, by tier and name."""
        with self._database.read() as connection:
            given = _counts(connection)
            paid = _paid(connection)
            everybody = _people().order_by(annotators.c.tier, annotators.c.name)
            rows: list[Any] = list(connection.execute(everybody))
            newest = {tier: paces.newest(connection, tier) for tier in sorted({row.tier for row in rows})}
            return [
                _record(connection, row, given.get(row.id, 0), paid.get(row.id, 0), newest[row.tier])
                for row in rows
            ]

    def set_state(self, person: int, state: PersonState, note: str, by: Actor) -> None:
        """Pause somebody, or let them go on; a state that is so already stays, with its reason.

        Raises:
            UnknownReviewer: nobody has this id.
        """
        with self._database.write() as connection:
            found = connection.execute(_people().where(annotators.c.id == person).with_for_update()).first()
            if found is None:
                raise UnknownReviewer(f"reviewer {person} is no reviewer")
            if found.state == state.value:
                return
            now = self._database.now(connection)
            audit_log.write(connection, now, by, f"reviewer {state}", f"{found.name} in {found.tier}", note)
            if state == PersonState.PAUSED:
                controls.pause(connection, person, note, now)
            else:
                connection.execute(
                    update(annotators)
                    .where(annotators.c.id == person)
                    .values(state=state.value, state_at=now, note=note or None)
                )


def _people() -> Any:
    return select(annotators).where(
        annotators.c.kind == AnnotatorKind.PERSON.value, annotators.c.tier.is_not(None)
    )


def _record(
    connection: Connection, row: Row[Any], given: int, micros: int, tier: paces.Newest
) -> ReviewerRecord:
    right = controls.score(connection, row.id)
    newest = (
        select(answers.c.seconds)
        .where(answers.c.annotator == row.id, answers.c.retracted_at.is_(None))
        .order_by(answers.c.id.desc())
        .limit(PACE)
    )
    seconds = list(connection.execute(newest).scalars())
    return ReviewerRecord(
        id=row.id,
        name=row.name,
        tier=row.tier,
        state=PersonState(row.state),
        note=row.note,
        since=row.state_at,
        answers=given,
        seconds=float(median(seconds)) if seconds else 0.0,
        controls=len(right),
        right=sum(right),
        micros=micros,
        suspicions=paces.clicking(connection, row.id, row.tier, tier),
    )


def _counts(connection: Connection) -> dict[int, int]:
    query = select(answers.c.annotator, func.count().label("n")).where(answers.c.retracted_at.is_(None))
    return {row.annotator: row.n for row in connection.execute(query.group_by(answers.c.annotator))}


def _paid(connection: Connection) -> dict[int, int]:
    query = select(spend.c.annotator, func.sum(spend.c.micros).label("micros")).where(
        spend.c.state == "spent", spend.c.annotator.is_not(None)
    )
    return {row.annotator: int(row.micros) for row in connection.execute(query.group_by(spend.c.annotator))}
