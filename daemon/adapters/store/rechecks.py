"""Items that are looked at again: taken by one worker, locked, decided, saved."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, literal, select

from daemon.adapters.store import decided, open_items, outbox
from daemon.adapters.store.asking import Caps, recheck_items
from daemon.adapters.store.bulk import among
from daemon.adapters.store.schema import questions, recheck
from daemon.core.revoting import REVOTED
from daemon.core.rows import Decide
from daemon.core.states import DRAWN, PICKED, ItemState, QuestionState

UNKNOWN = "unknown item"
PATIENCE = 60_000
"""Milliseconds until an item that is not there, or that must wait its turn, is looked at once more."""

LATER = 3_000
"""Milliseconds after which items are routed elsewhere: by then every worker knows that the money is gone."""


def first_due(clock: ColumnElement[int]) -> Select[tuple[int, int]]:
    """When the first of all is due (0: since ever), and what the clock says: one statement, by the index."""
    return select(recheck.c.due, clock.label("now")).order_by(recheck.c.due).limit(1)


def work(connection: Connection, limit: int, decide: Decide, caps: Caps, now: int, until: int) -> int:
    """Take up to `limit` rows that are due by `until`, decide on their items; number of items decided.

    Whoever is looked at brings along the other items of its subject, so that they are decided together.
    """
    taken = _take(connection, limit, until)
    if not taken:
        return 0
    ids = {row.item for row in taken}
    rows = open_items.lock(connection, sorted(ids | open_items.siblings(connection, ids)))
    _wait_for_unknown(connection, taken, {row.id for row in rows}, now)
    _wait_for_window(connection, taken, rows, now)
    live = open_items.complete(connection, [row for row in rows if row.state != ItemState.FROZEN.value])
    if live:
        picked, drawn = ({row.item for row in taken if row.reason == why} for why in (PICKED, DRAWN))
        live = [replace(item, picked=item.id in picked, drawn=item.id in drawn) for item in live]
        decision, compose = decide(live)
        asked = decided.write(connection, live, decision, caps, now, [decision.bundle] * len(live))
        recheck_items(connection, [live[row].id for row in decision.later], "later", now + PATIENCE)
        outbox.put(connection, compose(asked))
    return len(live)


def of_tier(connection: Connection, tier: str, now: int) -> None:
    """Have all items looked at again that wait in the queue of a tier without money."""
    waiting = select(questions.c.item, literal("budget"), literal(now + LATER)).distinct()
    waiting = waiting.where(questions.c.tier == tier, questions.c.state == QuestionState.OPEN.value)
    connection.execute(insert(recheck).from_select(["item", "reason", "due"], waiting))


def _take(connection: Connection, limit: int, until: int) -> Sequence[Row[Any]]:
    due = (
        select(recheck)
        .where(recheck.c.due <= until)
        .order_by(recheck.c.due, recheck.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = connection.execute(due).all()
    if taken:
        connection.execute(
            delete(recheck).where(among(connection, recheck.c.seq, [row.seq for row in taken]))
        )
    return taken


def _wait_for_unknown(connection: Connection, taken: Sequence[Row[Any]], known: set[str], now: int) -> None:
    # The transaction that stores the item may have looked for answers just before this one came and not be
    # visible yet: without a second look the answer would never be heard. One whose item comes much later is
    # found by that item's own transaction.
    missing = {row.item for row in taken if row.item not in known and row.reason != UNKNOWN}
    recheck_items(connection, sorted(missing), UNKNOWN, now + PATIENCE)


def _wait_for_window(
    connection: Connection, taken: Sequence[Row[Any]], rows: Sequence[Row[Any]], now: int
) -> None:
    """New votes on a frozen item are heard when its window has closed, whatever becomes of it there."""
    frozen = {row.id for row in rows if row.state == ItemState.FROZEN.value}
    revoted = {row.item for row in taken if row.reason == REVOTED}
    recheck_items(connection, sorted(frozen & revoted), REVOTED, now + PATIENCE)
