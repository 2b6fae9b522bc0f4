"""How fast people answer, and how much the same, beside the others of their tier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from daemon.adapters.store.codec import label_of
from daemon.adapters.store.schema import annotators, answers
from daemon.core.states import AnnotatorKind
from models.clicking import Given, suspicions

OWN = 50
OTHERS = 1_000
"""Newest answers that are looked at: a person's, and those of all others of the tier."""


def clicking(connection: Connection, person: int, tier: str) -> list[str]:
    """What looks like clicking without reading in the person's newest answers; nothing if nothing does.

    Since they were let go on, if they were paused.
    """
    since = select(annotators.c.state_at).where(annotators.c.id == person).scalar_subquery()
    own = (
        _newest().where(answers.c.annotator == person, (since.is_(None)) | (answers.c.at > since)).limit(OWN)
    )
    others = (
        _newest()
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(
            annotators.c.tier == tier,
            annotators.c.kind == AnnotatorKind.PERSON.value,
            answers.c.annotator != person,
        )
        .limit(OTHERS)
    )
    return suspicions(_given(connection.execute(own).all()), _given(connection.execute(others).all()))


def _newest() -> Any:
    query = select(answers.c.seconds, answers.c.labels).where(answers.c.retracted_at.is_(None))
    return query.order_by(answers.c.id.desc())


def _given(rows: Sequence[Row[Any]]) -> Given:
    """In the order in which they were given."""
    oldest_first = rows[::-1]
    return Given(
        np.array([row.seconds for row in oldest_first], np.float64),
        np.array([label_of(row.labels) for row in oldest_first], np.int64),
    )
