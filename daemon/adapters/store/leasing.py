"""Leases: which questions are free for whom, and how they are taken, held and put back."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from daemon.adapters.store import budget
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f4, label_of
from daemon.adapters.store.schema import annotators, answers, controls, items, labels, questions, skips
from daemon.core.errors import LeaseLost
from daemon.core.pace import Left
from daemon.core.rows import EarlierAnswer, Lease
from daemon.core.settings import TierSettings
from daemon.core.states import BLIND_PURPOSES, SETTLING, AnnotatorKind, Purpose, QuestionState

OPEN, LEASED = QuestionState.OPEN.value, QuestionState.LEASED.value
BLIND = frozenset(BLIND_PURPOSES)
BEST = (questions.c.priority.desc(), questions.c.id)
"""Order of a queue."""
CONTENT = (items.c.payload, items.c.labels, items.c.score)
"""Of an item, what a lease of a question about it needs: read with the question, not after it."""
SETTLES = frozenset(purpose.value for purpose in SETTLING)


@dataclass(frozen=True, slots=True)
class Hints:
    """Tiers whose people see more than the item; what they do not see is not read.

    Attributes:
        suggestions: what the votes at hand say. earlier: what other tiers answered.
    """

    suggestions: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tiers: Mapping[str, TierSettings]) -> "Hints":
        """As the tiers' settings want it."""
        return cls(
            suggestions=frozenset(name for name, tier in tiers.items() if tier.suggest),
            earlier=frozenset(name for name, tier in tiers.items() if tier.show_earlier),
        )


NO_HINTS = Hints()


def free_expired(connection: Connection, tier: str, now: int, kept: Sequence[int] = ()) -> None:
    """Put the tier's questions whose lease has run out back into the queue, but for these.

    Whoever holds one is named for the sake of the index of what is held: a plan that is made once for any
    state would read every question that was ever asked.
    """
    expired = (
        select(questions.c.id, questions.c.purpose)
        .where(
            questions.c.tier == tier,
            questions.c.state == LEASED,
            questions.c.holder.is_not(None),
            questions.c.leased_until <= now,
        )
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(expired).all()
    free(connection, [row for row in rows if row.id not in kept])


def free(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Put questions back into the queue; what was reserved for their leases is given back.

    Control questions end instead: nobody else can be asked.
    """
    if rows:
        change(connection, [row.id for row in rows], state=OPEN, holder=None, leased_until=None)
        personal = [row.id for row in rows if row.purpose == Purpose.CONTROL.value]
        if personal:
            change(connection, personal, state=QuestionState.CANCELLED.value)
        leased = [row.id for row in rows if row.purpose not in budget.PAID_WHEN_MADE]
        if leased:
            budget.release(connection, leased)


def best_free(
    connection: Connection,
    tier: str,
    mine: Sequence[int],
    count: int,
    left: Left,
    last: Sequence[int] = (),
) -> list[Row[Any]]:
    """Questions for one person that can be paid, at most one an item; those of `last` after all others."""
    chosen: dict[str, Row[Any]] = {}
    while len(chosen) < count:
        query = _best(count - len(chosen))
        if last:
            query = query.order_by(None).order_by(among(connection, questions.c.id, last), *BEST)
        if dear := beyond(left):
            query = query.where(~or_(*dear))
        values = {"tier": tier, "mine": list(mine), "chosen": list(chosen)}
        rows = connection.execute(query, values).all()
        if not rows:
            break
        for row in rows:
            purpose = Purpose(row.purpose)
            if row.item not in chosen and row.price <= left.for_purpose(purpose):
                chosen[row.item] = row
                left = left.without(purpose, row.price)
    return list(chosen.values())


def beyond(left: Left) -> list[ColumnElement[bool]]:
    """Conditions, one of which holds for a question that cannot be paid now."""
    money = {purpose: left.for_purpose(purpose) for purpose in Purpose}
    return [
        and_(questions.c.purpose == purpose.value, questions.c.price > micros)
        for purpose, micros in money.items()
        if micros < math.inf
    ]


def under(leases: Sequence[tuple[int, int]]) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the questions that are held under one of these leases, given by their keys.

    Several processes are one annotator, so that the holder alone does not tell whose lease it is.
    """
    return tuple_(questions.c.id, questions.c.attempt).in_(leases), questions.c.state == LEASED


def booking(row: Row[Any]) -> budget.Booking:
    """What the question of this row costs."""
    return budget.Booking(row.id, row.item, row.tier, row.purpose, row.price)


def _free() -> Select[Any]:
    """Free questions of `tier` about items that are new to `mine` and not `chosen`."""
    mine: BindParameter[int] = bindparam("mine", expanding=True)
    other = questions.alias("other")
    same_item = other.c.item == questions.c.item
    answered = exists().where(
        answers.c.item == questions.c.item, answers.c.annotator.in_(mine), answers.c.retracted_at.is_(None)
    )
    held = exists().where(same_item, other.c.holder.in_(mine), other.c.state == LEASED)
    skipped = exists().where(same_item, skips.c.question == other.c.id, skips.c.annotator.in_(mine))
    controlled = exists().where(controls.c.item == questions.c.item, controls.c.annotator.in_(mine))
    return (
        select(questions, *CONTENT)
        .join(items, items.c.id == questions.c.item)
        .where(questions.c.tier == bindparam("tier"), questions.c.state == OPEN)
        .where(questions.c.item.not_in(bindparam("chosen", expanding=True)))
        .where(~answered, ~held, ~skipped, ~controlled)
        .where(or_(questions.c.reserved_for.is_(None), questions.c.reserved_for.in_(mine)))
        .with_for_update(of=questions, skip_locked=True)
    )


_FREE = _free()


@lru_cache
def _best(count: int) -> Select[Any]:
    return first(_FREE, count)


def first(query: Select[Any], count: int) -> Select[Any]:
    """The best `count` of these questions.

    The number stands in the statement itself: PostgreSQL plans one with a parameter there anew each time, as
    it takes that for a tenth of the table, and planning takes longer than finding the questions.
    """
    return query.order_by(*BEST).limit(literal_column(str(count), Integer))


_GIVEN = (
    update(questions)
    .where(questions.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=LEASED,
        holder=bindparam("person"),
        leased_until=bindparam("until"),
        closed=None,
        attempt=questions.c.attempt + 1,
    )
)


def give(
    connection: Connection, rows: Sequence[Row[Any]], person: int, until: int, hints: Hints = NO_HINTS
) -> list[Lease]:
    """Lease the questions of these locked rows until then (ms)."""
    mark(connection, rows, person, until)
    return coming(connection, rows, until, hints)


def mark(connection: Connection, rows: Sequence[Row[Any]], person: int, until: int) -> None:
    """Write down that the questions of these locked rows are leased until then (ms)."""
    if rows:
        connection.execute(_GIVEN, {"ids": [row.id for row in rows], "person": person, "until": until})


def coming(
    connection: Connection, rows: Sequence[Row[Any]], until: int, hints: Hints = NO_HINTS
) -> list[Lease]:
    """The leases until then (ms) that these questions, read before they are marked, become."""
    return _leases(connection, rows, [_Term(until, row.attempt + 1) for row in rows], hints) if rows else []


def shown(connection: Connection, rows: Sequence[Row[Any]]) -> list[Lease]:
    """The leases that these leased questions are."""
    return _leases(connection, rows, [_Term(row.leased_until, row.attempt) for row in rows], NO_HINTS)


class _Term(NamedTuple):
    """Until when (ms) a question is leased, and for the how many-th time."""

    until: int
    attempt: int


def _leases(
    connection: Connection, rows: Sequence[Row[Any]], terms: Sequence[_Term], hints: Hints
) -> list[Lease]:
    asked_about = _items(connection, rows)
    controlled = [row for row in rows if row.purpose == Purpose.CONTROL.value]
    first = _first_labels(connection, [row.item for row in controlled if row.tier in hints.suggestions])
    settling = [row for row in rows if row.purpose in SETTLES]
    earlier = _earlier(connection, [row.item for row in settling if row.tier in hints.earlier])
    return [
        replace(
            _lease(row, asked_about[row.item], first.get(row.item), term),
            earlier=tuple(one for one in earlier.get(row.item, ()) if one.tier != row.tier),
        )
        for row, term in zip(rows, terms, strict=True)
    ]


def _earlier(connection: Connection, ids: Sequence[str]) -> dict[str, list[EarlierAnswer]]:
    """Item -> what people answered, oldest first."""
    found: dict[str, list[EarlierAnswer]] = defaultdict(list)
    if ids:
        query = (
            select(answers.c.item, annotators.c.tier, answers.c.labels)
            .join(annotators, annotators.c.id == answers.c.annotator)
            .where(
                among(connection, answers.c.item, ids),
                answers.c.retracted_at.is_(None),
                annotators.c.kind == AnnotatorKind.PERSON.value,
            )
            .order_by(answers.c.id)
        )
        for row in connection.execute(query):
            found[row.item].append(EarlierAnswer(row.tier, label_of(row.labels)))
    return found


def _items(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, Row[*tuple[Any, ...]]]:
    """Item -> a row with its `CONTENT`, which is these rows themselves where they were read with it."""
    known = {row.item: row for row in rows if CONTENT[0].name in row._fields}
    if others := [row.item for row in rows if row.item not in known]:
        wanted = select(items.c.id, *CONTENT).where(among(connection, items.c.id, others))
        known |= {item.id: item for item in connection.execute(wanted)}
    return known


def _first_labels(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Item -> what was said of it before any person spoke, and how likely that seemed."""
    if not ids:
        return {}
    query = select(labels).where(among(connection, labels.c.item, ids), labels.c.revision == 1)
    found = {}
    for row in connection.execute(query):
        found[row.item] = label_of(row.labels), float(f4(row.probabilities).max())
    return found


def _lease(
    question: Row[Any], item: Row[*tuple[Any, ...]], first: tuple[int, float] | None, term: _Term
) -> Lease:
    """Of a blind question nothing but the item's content. A control question must not tell the truth, and
    looks like others all the same: it shows what was said at `first`, if anything may be suggested.
    """
    blind = question.purpose in BLIND
    label, sure = (None, 0.0) if blind else (label_of(item.labels), float(item.score))
    if question.purpose == Purpose.CONTROL.value:
        label, sure = first or (None, 0.0)
    return Lease(
        question.id,
        question.item,
        question.tier,
        bytes(item.payload),
        blind,
        term.until,
        label=label,
        sure=sure,
        attempt=term.attempt,
    )


def change(connection: Connection, ids: Sequence[int], **values: Any) -> None:
    """Set columns of these questions."""
    connection.execute(
        _change(tuple(values)), {"ids": list(ids)} | {f"new_{k}": v for k, v in values.items()}
    )


@lru_cache
def _change(names: tuple[str, ...]) -> Update:
    new: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in names}
    return update(questions).where(questions.c.id.in_(bindparam("ids", expanding=True))).values(new)


_LOCKED = select(questions).where(questions.c.id == bindparam("question")).with_for_update()


def lock_question(connection: Connection, question: int) -> Row[Any]:
    """The question's row, locked; LeaseLost if there is none."""
    row = connection.execute(_LOCKED, {"question": question}).one_or_none()
    if row is None:
        raise LeaseLost(f"there is no question {question}")
    return row


_STANDING = (
    select(answers)
    .where(
        answers.c.item == bindparam("item"),
        answers.c.annotator.in_(bindparam("mine", expanding=True)),
        answers.c.retracted_at.is_(None),
    )
    .order_by(answers.c.id)
    .limit(1)
)


def standing(connection: Connection, item: str, mine: Sequence[int]) -> Row[Any] | None:
    """The first standing answer of one of these annotators on an item."""
    return connection.execute(_STANDING, {"item": item, "mine": list(mine)}).one_or_none()
