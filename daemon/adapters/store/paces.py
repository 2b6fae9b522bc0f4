"""How fast people answer, and how much the same, beside the others of their tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from daemon.adapters.store.codec import label_of
from daemon.adapters.store.schema import annotators, answers
from daemon.core.states import AnnotatorKind
from models.arrays import F8, I8
from models.clicking import Given, suspicions

OWN = 50
OTHERS = 1_000
"""Newest answers that are looked at: a person's, and those of all others of the tier."""
TOGETHER = 2 * OTHERS
"""That are read once for everybody of a tier: enough but for somebody who gives half of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """The newest answers of a tier's people, newest first: who gave each, seconds, label, (n,) each."""

    annotators: I8
    seconds: F8
    labels: I8

    def of_others(self, person: int) -> Given | None:
        """The newest `OTHERS` that this person did not give; None if there may be more of them than these."""
        theirs = np.flatnonzero(self.annotators != person)[:OTHERS][::-1]
        if len(theirs) < OTHERS and len(self.annotators) == TOGETHER:
            return None
        return Given(self.seconds[theirs], self.labels[theirs])


def newest(connection: Connection, tier: str) -> Newest:
    """What everybody of a tier is looked at beside, read once for all of them."""
    rows = connection.execute(_of_tier(tier).limit(TOGETHER)).all()
    given = _given(rows[::-1])
    return Newest(np.array([row.annotator for row in rows], np.int64), given.seconds, given.labels)


def clicking(connection: Connection, person: int, tier: str, known: Newest | None = None) -> list[str]:
    """What looks like clicking without reading in the person's newest answers; nothing if nothing does.

    Since they were let go on, if they were paused. `known`: of this tier, if it was read.
    """
    since = select(annotators.c.state_at).where(annotators.c.id == person).scalar_subquery()
    own = (
        _newest().where(answers.c.annotator == person, (since.is_(None)) | (answers.c.at > since)).limit(OWN)
    )
    others = None if known is None else known.of_others(person)
    if others is None:
        query = _of_tier(tier).where(answers.c.annotator != person).limit(OTHERS)
        others = _given(connection.execute(query).all())
    return suspicions(_given(connection.execute(own).all()), others)


def _of_tier(tier: str) -> Any:
    people = (annotators.c.tier == tier) & (annotators.c.kind == AnnotatorKind.PERSON.value)
    return _newest().join(annotators, annotators.c.id == answers.c.annotator).where(people)


def _newest() -> Any:
    query = select(answers.c.annotator, answers.c.seconds, answers.c.labels)
    return query.where(answers.c.retracted_at.is_(None)).order_by(answers.c.id.desc())


def _given(rows: Sequence[Row[Any]]) -> Given:
    """In the order in which they were given."""
    oldest_first = rows[::-1]
    return Given(
        np.array([row.seconds for row in oldest_first], np.float64),
        np.array([label_of(row.labels) for row in oldest_first], np.int64),
    )
