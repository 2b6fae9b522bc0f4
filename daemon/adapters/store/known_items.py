"""Items whose label is known, for control questions: read beside the leases that ask about them."""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, select

from daemon.adapters.store.engine import Database
from daemon.adapters.store.first_answers import newest_labels
from daemon.adapters.store.schema import items, truths
from daemon.core.errors import SetupProblem

KNOWN = 2_000
"""Items that are asked about: the newest of those whose label is known, imported ones before all others."""
KNOWN_SECONDS = 30.0
"""From this age on the list of them is read again."""
STALE_SECONDS = 300.0
"""A list of this age is gone by no longer: who leases then, after a long pause, waits for a new one."""


@dataclass(frozen=True, slots=True)
class Known:
    """An item whose label is known, and the bytes of that."""

    item: str
    labels: bytes


class KnownItems:
    """The lists that one process goes by. Many threads may ask.

    Whoever leases holds locks that others wait for: the lists are read again beside that, in a thread.
    """

    def __init__(self, final: frozenset[str], clock: Callable[[], float]) -> None:
        """`final`: tiers whose answers are the truth. `clock`: seconds that only rise."""
        self._final = final
        self._clock = clock
        self._read: dict[bool, tuple[float, list[Known]]] = {}
        self._renewing = threading.Lock()

    def get(self, connection: Connection, answered: bool) -> list[Known]:
        """Imported labels, and with `answered` those of items that a final tier answered; at most KNOWN."""
        read_at, known = self._read.get(answered, (-math.inf, []))
        if self._clock() - read_at > STALE_SECONDS:
            known = self._look(connection, answered)
        return known

    def renew(self, database: Database) -> None:
        """Begin to read again what is old, if that is not being done already; nobody waits for it."""
        old = [kind for kind, (at, _) in tuple(self._read.items()) if self._clock() - at > KNOWN_SECONDS]
        if old and self._renewing.acquire(blocking=False):
            threading.Thread(
                target=self._renew, args=(database, old), name="known items", daemon=True
            ).start()

    def _renew(self, database: Database, kinds: list[bool]) -> None:
        try:
            # While the database is away the lists stand; who leases next begins again.
            with suppress(SetupProblem), database.read() as connection:
                for answered in kinds:
                    self._look(connection, answered)
        finally:
            self._renewing.release()

    def _look(self, connection: Connection, answered: bool) -> list[Known]:
        known = _imported(connection)
        if answered:
            known = _with_answered(connection, known, self._final)
        self._read[answered] = self._clock(), known
        return known


def _imported(connection: Connection) -> list[Known]:
    query = (
        select(truths.c.item, truths.c.labels)
        .join(items, items.c.id == truths.c.item)
        .order_by(truths.c.at.desc(), truths.c.item)
        .limit(KNOWN)
    )
    return [Known(row.item, bytes(row.labels)) for row in connection.execute(query)]


def _with_answered(connection: Connection, known: list[Known], final: frozenset[str]) -> list[Known]:
    """And items that a final tier answered; what is imported stands."""
    there = {one.item for one in known}
    rows = connection.execute(newest_labels(final, KNOWN))
    return [*known, *(Known(row.item, bytes(row.labels)) for row in rows if row.item not in there)][:KNOWN]
