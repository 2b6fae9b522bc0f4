"""How people err, from the bundle that workers follow."""

import threading
from collections.abc import Sequence

from sqlalchemy import select

from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import bundles
from daemon.core.bundles import whole
from daemon.core.erring import Erring, erring_of


class ErringRoom:
    """`daemon.core.erring.ErringStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: int | None = None
        self._found: Sequence[Erring] = ()

    def erring(self) -> Sequence[Erring]:
        """As of the current bundle, which is read once; nobody if it is damaged."""
        current = select(bundles.c.id).where(bundles.c.current)
        with self._lock, self._database.read() as connection:
            newest = connection.execute(current).scalar_one_or_none()
            if newest is not None and newest != self._known:
                data = select(bundles.c.data).where(bundles.c.id == newest)
                read = whole(newest, connection.execute(data).scalar_one())
                self._found = () if read is None else erring_of(read)
                self._known = newest
            return self._found
