"""Drift alarms: at most one open alarm a signal, raised by any worker, ended by the learner."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import alarms, answers, bundles, items, positions
from daemon.core.alarm_rows import AlarmRecord, DriftStanding
from daemon.core.states import RANDOM_PURPOSES
from models.drift.alarm import Alarm

_OPEN = alarms.c.ended_at.is_(None)


class AlarmRoom:
    """`daemon.core.ports.AlarmStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_alarms(self, process: str, bundle: int, raised: Sequence[Alarm]) -> list[Alarm]:
        """Open an alarm for each signal that has none, count the others as raised again; those opened.

        An alarm against the reference of a bundle that is no longer current says nothing: none is stored.
        """
        with self._database.write() as connection:
            # The lock keeps other workers and a promotion out until this is written.
            current = select(bundles.c.id).where(bundles.c.current).with_for_update()
            if connection.execute(current).scalar_one_or_none() != bundle:
                return []
            now = self._database.now(connection)
            return [alarm for alarm in raised if _raise(connection, alarm, process, bundle, now)]

    def standing(self) -> DriftStanding:
        """Whether alarms are open, and since when the stream is another one."""
        with self._database.read() as connection:
            return standing(connection)


def standing(connection: Connection) -> DriftStanding:
    """As `AlarmRoom.standing`."""
    count, since = connection.execute(select(func.count(), func.min(alarms.c.at)).where(_OPEN)).one()
    if not count:
        last = select(func.max(alarms.c.ended_at)).scalar_subquery()
        ended = select(func.min(alarms.c.at)).where(alarms.c.ended_at == last)
        since = connection.execute(ended).scalar_one()
    return DriftStanding(int(count), since)


def end(connection: Connection, bundle: int | None, now: int) -> None:
    """Every open alarm ends: this bundle has learned from what came after them."""
    connection.execute(update(alarms).where(_OPEN).values(ended_at=now, ended_by=bundle))


def newest(connection: Connection, limit: int) -> list[AlarmRecord]:
    """The newest alarms, newest first."""
    query = select(alarms).order_by(alarms.c.id.desc()).limit(limit)
    return [_record(row) for row in connection.execute(query)]


def fresh_answers(connection: Connection) -> int | None:
    """Random blind answers on items that came after the alarms that are open; None while none is."""
    drift = standing(connection)
    if not drift.open:
        return None
    random = [purpose.value for purpose in RANDOM_PURPOSES]
    query = (
        select(func.count())
        .select_from(items.join(answers, answers.c.item == items.c.id))
        .where(
            items.c.arrived >= drift.since, answers.c.purpose.in_(random), answers.c.retracted_at.is_(None)
        )
    )
    return int(connection.execute(query).scalar_one())


def _raise(connection: Connection, alarm: Alarm, process: str, bundle: int, now: int) -> bool:
    """True if the signal had no open alarm."""
    again = (
        update(alarms)
        .where(_OPEN, alarms.c.signal == alarm.signal)
        .values(last_at=now, times=alarms.c.times + 1)
    )
    if connection.execute(again).rowcount:
        return False
    stored = select(func.coalesce(func.sum(positions.c.stored), 0)).scalar_subquery()
    row = {
        "at": now,
        "last_at": now,
        "signal": alarm.signal,
        "detail": alarm.detail,
        "size": alarm.size,
        "process": process,
        "bundle": bundle,
        "items": stored,
    }
    connection.execute(insert(alarms).values(**row))
    return True


def _record(row: Row[Any]) -> AlarmRecord:
    return AlarmRecord(
        id=row.id,
        at=row.at,
        last_at=row.last_at,
        times=row.times,
        items=row.items,
        signal=row.signal,
        detail=row.detail,
        size=row.size,
        bundle=row.bundle,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
