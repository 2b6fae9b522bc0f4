"""Random blind questions about items that are stored already, where no new ones come to draw from."""

from sqlalchemy import Connection, exists, func, select

from daemon.adapters.store.asking import UNANSWERED, recheck_items
from daemon.adapters.store.schema import items, questions, recheck
from daemon.core.states import DRAWN, ItemState, Purpose

QUIET = 5_000
"""Milliseconds without a new item after which stored ones are drawn: as long as items come they are drawn on
their way in."""


def top_up(connection: Connection, wanted: int, now: int) -> int:
    """Leave up to `wanted` rechecks by which `run` asks blindly about items drawn evenly; how many.

    Nothing is drawn while items come, while a draw is under way, or while its questions wait for an answer.
    """
    if wanted < 1 or _is_busy(connection, now):
        return 0
    asked = exists().where(questions.c.item == items.c.id, questions.c.purpose == Purpose.GOLD.value)
    open_states = (ItemState.ASKING.value, ItemState.READY.value)
    drawn = select(items.c.id).where(items.c.state.in_(open_states), ~asked).order_by(func.random())
    ids = list(connection.execute(drawn.limit(wanted)).scalars())
    recheck_items(connection, ids, DRAWN)
    return len(ids)


def _is_busy(connection: Connection, now: int) -> bool:
    newest = connection.execute(select(func.max(items.c.arrived))).scalar_one()
    if newest is None or now - newest < QUIET:
        return True
    waits = select(questions.c.id).where(
        questions.c.purpose == Purpose.GOLD.value, questions.c.state.in_(UNANSWERED)
    )
    under_way = select(recheck.c.seq).where(recheck.c.reason == DRAWN)
    return any(connection.execute(query.limit(1)).first() is not None for query in (waits, under_way))
