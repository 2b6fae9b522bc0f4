"""Old items removed, with their labels and vectors: those that nobody was ever asked about."""

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, or_, select

from daemon.adapters.store import duties
from daemon.adapters.store.bulk import among
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, items, labels, questions, spend, vectors
from daemon.adapters.store.schema_calls import calls, judgments
from daemon.adapters.store.schema_people import controls, flags, truths
from daemon.core.retention import Kept, Walked
from daemon.core.rows import Duty
from daemon.core.states import ItemState

GOES_ALONG = (labels, vectors)
"""Tables whose rows go with their item."""

RESTS_ON_IT = (questions, answers, spend, controls, flags, truths, calls, judgments)
"""Tables that keep an item, as long as one of their rows is about it: models, books, and the ledger's audits
are made of them."""

CERTIFIED, OPEN = (ItemState.CERTIFIED.value,), (ItemState.ASKING.value, ItemState.READY.value)
DAY_MS = 86_400_000


class RetentionRoom:
    """Port RetentionStore on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remove_old(self, duty: Duty, kept: Kept, after: Walked, limit: int) -> Walked | None:
        """Look at the next `limit` items that are old enough for something to go, and remove what may go.

        Those go that came, and changed last, so long ago as `kept` says of their state, and that no row of
        `RESTS_ON_IT` is about. What stands in a window stays, and an item that somebody is deciding on, until
        the next walk. None where there are no more.

        Raises:
            DutyLost: another process walks.
        """
        with self._database.write() as connection:
            duties.check(connection, duty)
            now = self._database.now(connection)
            if (least := kept.least) is None:
                return None
            looked_at = connection.execute(_next(_ago(now, least), after, limit)).all()
            if not looked_at:
                return None
            last = looked_at[-1]
            removed = _remove(connection, [row.id for row in looked_at], _old_enough(kept, now))
            return Walked(last.arrived, last.id, removed)


def _next(before: int, after: Walked, limit: int) -> Select[tuple[str, int]]:
    further = or_(items.c.arrived > after.arrived, items.c.id > after.item)
    return (
        select(items.c.id, items.c.arrived)
        # said twice: the first is what the index on `arrived` is entered by
        .where(items.c.arrived >= after.arrived, items.c.arrived < before, further)
        .order_by(items.c.arrived, items.c.id)
        .limit(limit)
    )


def _ago(now: int, days: float) -> int:
    return now - round(days * DAY_MS)


def _old_enough(kept: Kept, now: int) -> ColumnElement[bool]:
    """Of an item's state and age alone."""
    ages = [(kept.certified, CERTIFIED), (kept.open, OPEN)]
    said = [(_ago(now, days), states) for days, states in ages if days is not None]
    return or_(
        *(
            and_(items.c.state.in_(states), items.c.arrived < ago, items.c.changed < ago)
            for ago, states in said
        )
    )


def _remove(connection: Connection, ids: list[str], old_enough: ColumnElement[bool]) -> int:
    needed = [exists().where(table.c.item == items.c.id) for table in RESTS_ON_IT]
    may_go = and_(among(connection, items.c.id, ids), old_enough, ~or_(*needed))
    locked = select(items.c.id).where(may_go).order_by(items.c.id).with_for_update(skip_locked=True)
    going = list(connection.execute(locked).scalars())
    if going:
        for table in GOES_ALONG:
            connection.execute(delete(table).where(among(connection, table.c.item, going)))
        connection.execute(delete(items).where(among(connection, items.c.id, going)))
    return len(going)
