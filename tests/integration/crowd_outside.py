"""Tier `crowd`, whose people answer in another program, on a store."""

import threading
from collections.abc import Callable, Mapping

from rows_for_tests import add_items, add_question

from daemon.adapters.store.engine import Database
from daemon.adapters.store.outside import OutsideRoom
from daemon.core.outside import OutsideQueue
from daemon.core.outside_loop import OutsideLoop

HOUR = 3_600


def crowd_loop(
    database: Database,
    outside: OutsideQueue,
    report: Callable[[Mapping[str, object]], None],
    pays_all: bool = False,
    working: Callable[[], bool] = lambda: True,
) -> OutsideLoop:
    """As a process that starts makes it; it holds three questions at once, for an hour each."""
    store = OutsideRoom(database, ["crowd"], pays_all=pays_all)
    return OutsideLoop(
        outside=outside,
        store=store,
        queue=store.enroll("crowd"),
        tier="crowd",
        outstanding=3,
        lease_seconds=HOUR,
        poll_seconds=0.01,
        working=working,
        stop=threading.Event(),
        report=report,
    )


def questions_about(database: Database, ids: tuple[str, ...], price: int) -> list[int]:
    """Of new items; `price` in micro-units."""
    add_items(database, ids, payload=b'{"id": "x", "text": "hello"}')
    return [add_question(database, id_, "crowd", price=price) for id_ in ids]
