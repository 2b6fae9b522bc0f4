"""The statements of leases and answers, said once before anybody waits for them.

The first time that a process says a statement it is put together, which takes longer than the database works
on it. When a review process starts, ten people ask at once, and each would wait for all of that.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from sqlalchemy import Connection

from daemon.adapters.store import budget, holding, leasing
from daemon.adapters.store.accounts import AccountRoom
from daemon.adapters.store.engine import Database
from daemon.core.errors import LeaseLost, UnknownReviewer
from daemon.core.pace import Left

NOBODY = 0
NOWHERE = ""
HELD = 3
"""Questions that a page holds."""
OPENED = 4
"""Connections to a server that are opened beforehand."""


def rehearse(database: Database) -> None:
    """Say each once, about nobody and nothing: nothing is found, locked or changed.

    Raises:
        PartAway: the database cannot be reached.
    """
    AccountRoom(database).any()
    with database.write() as connection:
        _lease(connection)
        _answer(connection, database.now(connection))
    if not database.is_sqlite:
        _open_connections(database)


def _lease(connection: Connection) -> None:
    with suppress(UnknownReviewer):
        holding.hold_active(connection, NOBODY)
    for count in range(1, HELD + 1):
        holding.already_held(connection, NOBODY, NOWHERE, count)
        leasing.best_free(connection, NOWHERE, [NOBODY], count, Left())
    leasing.free_expired(connection, NOWHERE, 0)


def _answer(connection: Connection, now: int) -> None:
    with suppress(LeaseLost):
        leasing.lock_question(connection, NOBODY)
    leasing.standing(connection, NOWHERE, [NOBODY])
    budget.release(connection, [NOBODY])
    leasing.change(connection, [NOBODY], state=leasing.OPEN, holder=None, leased_until=None, closed=now)


def _open_connections(database: Database) -> None:
    with ExitStack() as open_at_once, ThreadPoolExecutor(OPENED) as threads:
        opened = [threads.submit(open_at_once.enter_context, database.glance()) for _ in range(OPENED)]
        for one in opened:
            one.result()
