"""Jobs that one process does at a time: lease rows whose epoch every write under them checks."""

from sqlalchemy import Connection, or_, select, update

from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.schema import duties
from daemon.core.errors import DutyLost
from daemon.core.rows import Duty


def take(connection: Connection, name: str, holder: str, seconds: float, now: int) -> Duty | None:
    """Hold or renew a duty; None while somebody else holds it. A change of holder starts a new epoch."""
    row = {"name": name, "holder": holder, "until": now + round(seconds * 1000)}
    connection.execute(
        upsert(connection, duties, ["name"], []), {"name": name, "holder": "", "until": 0, "epoch": 0}
    )
    renewed = connection.execute(
        update(duties)
        .where(duties.c.name == name, duties.c.holder == holder)
        .values(until=row["until"])
        .returning(duties.c.epoch)
    ).scalar_one_or_none()
    if renewed is not None:
        return Duty(name, holder, renewed)
    taken = connection.execute(
        update(duties)
        .where(duties.c.name == name, or_(duties.c.until <= now, duties.c.holder == ""))
        .values(holder=holder, until=row["until"], epoch=duties.c.epoch + 1)
        .returning(duties.c.epoch)
    ).scalar_one_or_none()
    return None if taken is None else Duty(name, holder, taken)


def drop(connection: Connection, duty: Duty) -> None:
    """Give a duty back; nothing happens if it was lost already."""
    connection.execute(
        update(duties)
        .where(duties.c.name == duty.name, duties.c.holder == duty.holder, duties.c.epoch == duty.epoch)
        .values(holder="", until=0)
    )


def hold(connection: Connection, name: str) -> None:
    """Let whoever has this duty write nothing under it until the transaction ends."""
    connection.execute(select(duties.c.epoch).where(duties.c.name == name).with_for_update())


def check(connection: Connection, duty: Duty) -> None:
    """Make sure that the duty is still held, and stays so until the transaction ends.

    Raises:
        DutyLost: somebody else took it, or it was dropped.
    """
    row = connection.execute(
        select(duties.c.holder, duties.c.epoch).where(duties.c.name == duty.name).with_for_update()
    ).one_or_none()
    if row is None or (row.holder, row.epoch) != (duty.holder, duty.epoch):
        raise DutyLost(f"the duty {duty.name!r} is held by somebody else now")
