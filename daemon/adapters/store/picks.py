"""Items that people may be asked about only so that the models learn."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select

from daemon.adapters.store import asking
from daemon.adapters.store.asking import UNANSWERED, recheck_items
from daemon.adapters.store.bulk import among
from daemon.adapters.store.schema import (
    alarms,
    annotators,
    answers,
    items,
    questions,
    recheck,
    windows,
)
from daemon.core.learning_rows import Prospects, Standing
from daemon.core.states import (
    BLIND_PURPOSES,
    PICKED,
    AnnotatorKind,
    ItemState,
    Purpose,
    QuestionState,
    WindowState,
)

WINDOWS = 10
OPEN_STATES = (ItemState.ASKING.value, ItemState.READY.value)
SETTLED_FOR = (Purpose.LEARN.value, *(purpose.value for purpose in BLIND_PURPOSES))
"""Purposes for which an expert will answer, whatever becomes of the item."""


def prospects(connection: Connection, after: int) -> Prospects:
    """What says how many items to pick; answers newer than id `after` count."""
    given = (
        select(func.count())
        .select_from(answers.join(annotators, annotators.c.id == answers.c.annotator))
        .where(
            answers.c.id > after,
            answers.c.retracted_at.is_(None),
            answers.c.purpose != Purpose.LEARN.value,
            annotators.c.kind == AnnotatorKind.PERSON.value,
        )
    )
    waiting = select(func.count()).where(
        questions.c.purpose == Purpose.LEARN.value, questions.c.state.in_(UNANSWERED)
    )
    alarm = select(func.count()).where(alarms.c.ended_at.is_(None))
    return Prospects(
        answers=int(connection.execute(given).scalar_one()),
        waiting=int(connection.execute(waiting).scalar_one()),
        drifting=bool(connection.execute(alarm).scalar_one()),
        certified_shares=_certified_shares(connection),
    )


def standings(connection: Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """How each of these items stands to learning; those that are settled by machines are left out."""
    taken = select(items.c.id).where(among(connection, items.c.id, ids), _is_taken())
    free = select(items.c.id).where(
        among(connection, items.c.id, ids),
        items.c.state.in_(OPEN_STATES),
        ~_is_taken(),
        ~exists().where(questions.c.item == items.c.id, questions.c.state == QuestionState.LEASED.value),
    )
    found = dict.fromkeys(connection.execute(free).scalars(), Standing.FREE)
    return found | dict.fromkeys(connection.execute(taken).scalars(), Standing.TAKEN)


def leave(connection: Connection, ids: Sequence[str]) -> None:
    """Have `run` ask about these items; they come before another pass over open items."""
    recheck_items(connection, ids, PICKED)


def withdraw(connection: Connection, now: int) -> int:
    """Cancel what nobody has begun to answer, and drop what is not asked yet; number of questions cancelled.

    Their items are looked at again: they go the way that they would have gone without the pick. What somebody
    has leased stays. No money is reserved for an open question of this purpose.
    """
    connection.execute(delete(recheck).where(recheck.c.reason == PICKED))
    free = (
        select(questions.c.id, questions.c.item)
        .where(questions.c.purpose == Purpose.LEARN.value, questions.c.state == QuestionState.OPEN.value)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(free).all()
    asking.cancel(connection, [row.id for row in rows], now)
    recheck_items(connection, sorted({row.item for row in rows}), "withdrawn")
    return len(rows)


def _is_taken() -> ColumnElement[bool]:
    """Whether a person answered, or an expert will."""
    answered = exists().where(
        answers.c.item == items.c.id,
        answers.c.retracted_at.is_(None),
        annotators.c.id == answers.c.annotator,
        annotators.c.kind == AnnotatorKind.PERSON.value,
    )
    asked = exists().where(
        questions.c.item == items.c.id,
        questions.c.state.in_(UNANSWERED),
        questions.c.purpose.in_(SETTLED_FOR),
    )
    return answered | asked


def _certified_shares(connection: Connection) -> list[float]:
    """Of the windows that closed last, oldest first."""
    query = (
        select(windows.c.certified, windows.c.n)
        .where(windows.c.state == WindowState.CLOSED.value)
        .order_by(windows.c.id.desc())
        .limit(WINDOWS)
    )
    return [row.certified / row.n for row in connection.execute(query)][::-1]
