"""Who a reviewer is, what they hold, and whether a question is still theirs to answer."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, literal_column, select

from daemon.adapters.store import budget
from daemon.adapters.store.engine import NOW_SQL
from daemon.adapters.store.leasing import CONTENT, first
from daemon.adapters.store.schema import annotators, answers, controls, items, questions
from daemon.core.errors import LeaseLost, ReviewerPaused, UnknownReviewer
from daemon.core.states import AnnotatorKind, PersonState, QuestionState

OPEN, LEASED = QuestionState.OPEN.value, QuestionState.LEASED.value


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who reviews in a tier.

    Attributes:
        everybody: ids of all of this name, locked: two of their screens cannot take the same item.
        tier: in which this one reviews.
        is_paused: whether nothing is taken from them. note: what they were told.
        seen: when this was read, as the database's own clock says (ms since 1970).
    """

    everybody: tuple[int, ...]
    tier: str
    is_paused: bool
    note: str | None
    seen: int


_named = annotators.alias("named")
_everybody = (
    select(annotators.c.id, annotators.c.tier, annotators.c.state, annotators.c.note)
    .where(
        annotators.c.kind == AnnotatorKind.PERSON.value,
        annotators.c.name
        == select(_named.c.name)
        .where(_named.c.id == bindparam("person"), _named.c.kind == AnnotatorKind.PERSON.value)
        .scalar_subquery(),
    )
    .order_by(annotators.c.id)
    .with_for_update(key_share=True)
)
_EVERYBODY = {
    dialect: _everybody.add_columns(literal_column(now).label("seen")) for dialect, now in NOW_SQL.items()
}
"""Written once, as the other statements of each lease and answer: to put one together takes longer than the
database needs to answer it."""


def hold_reviewer(connection: Connection, person: int, tier: str | None = None) -> Reviewer:
    """Who this is, everybody of the name locked.

    Raises:
        UnknownReviewer: nobody of this id is enrolled, or not in this tier.
    """
    statement = _EVERYBODY[connection.dialect.name]
    rows = {row.id: row for row in connection.execute(statement, {"person": person})}
    if person not in rows or (tier is not None and rows[person].tier != tier):
        where = "" if tier is None else f" of tier {tier!r}"
        raise UnknownReviewer(f"reviewer {person} is no reviewer{where}; enroll first")
    own = rows[person]
    return Reviewer(tuple(rows), own.tier, own.state == PersonState.PAUSED.value, own.note, int(own.seen))


def hold_active(connection: Connection, person: int, tier: str | None = None) -> Reviewer:
    """As `hold_reviewer`; raises ReviewerPaused, with the reason, for somebody who is paused."""
    found = hold_reviewer(connection, person, tier)
    if found.is_paused:
        raise ReviewerPaused(f"you are paused: {found.note}" if found.note else "you are paused")
    return found


_HELD = (
    select(questions, *CONTENT)
    .join(items, items.c.id == questions.c.item)
    .where(
        questions.c.holder == bindparam("person"),
        questions.c.tier == bindparam("tier"),
        questions.c.state == LEASED,
    )
    .with_for_update(of=questions)
)


@lru_cache
def _best_held(count: int) -> Select[Any]:
    return first(_HELD, count)


def already_held(connection: Connection, person: int, tier: str, count: int) -> list[Row[Any]]:
    """Up to `count` questions of the tier that the person holds, best first, locked."""
    return list(connection.execute(_best_held(count), {"person": person, "tier": tier}))


def check_free(row: Row[Any], person: int, tier: str, now: int) -> None:
    """Late answers count while nobody else holds the question and it is still wanted."""
    if row.state not in (OPEN, LEASED):
        raise LeaseLost(f"question {row.id} is {row.state} already; take the next one")
    if row.state == LEASED and row.holder != person and row.leased_until > now:
        raise LeaseLost(f"question {row.id} went to somebody else when its lease had run out")
    check_meant_for(row, person, tier)


def check_meant_for(row: Row[Any], person: int, tier: str) -> None:
    """Raises LeaseLost for a question of another tier than the person's, or one that waits for somebody
    else.
    """
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
