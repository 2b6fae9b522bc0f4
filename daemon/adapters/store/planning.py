"""What `labelloop plan` reads: recent items, and how many come in a day."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select

from daemon.adapters.store.engine import Database
from daemon.adapters.store.open_items import complete
from daemon.adapters.store.schema import items
from daemon.core.rows import OpenItem

DAY = 86_400_000
LEAST_SPAN = 60_000
"""Items of less than a minute say nothing about a day."""


class PlanRoom:
    """Reads of one command, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, limit: int) -> Sequence[OpenItem]:
        """The newest items, as if nobody had been asked about them."""
        with self._database.read() as connection:
            newest = select(items).order_by(items.c.arrived.desc(), items.c.id).limit(limit)
            found = complete(connection, list(connection.execute(newest)))
        return [replace(item, answers=(), wanted=()) for item in found]

    def per_day(self) -> float | None:
        """Items a day at the pace of the last day with items; None where they span less than a minute."""
        with self._database.read() as connection:
            last = connection.execute(select(func.max(items.c.arrived))).scalar_one()
            if last is None:
                return None
            query = select(func.count(), func.min(items.c.arrived)).where(items.c.arrived > last - DAY)
            count, first = connection.execute(query).one()
        return count * DAY / (last - first) if last - first >= LEAST_SPAN else None
