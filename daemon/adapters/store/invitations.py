"""Links that make one account each, once."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update

from daemon.adapters.store.account_rows import listed
from daemon.adapters.store.schema_accounts import invitations
from daemon.core.account_rows import Grant, Invitation, Role
from daemon.core.account_rules import INVITATION_SECONDS


def add(connection: Connection, grant: Grant, digest: bytes, invited_by: str, now: int) -> Invitation:
    """A new one."""
    row = {
        "digest": digest,
        "name": grant.name,
        "role": grant.role.value,
        "tiers": listed(grant.tiers),
        "invited_by": invited_by,
        "created": now,
        "expires": now + INVITATION_SECONDS * 1_000,
    }
    return _of(connection.execute(insert(invitations).values(row).returning(invitations)).one())


def find(connection: Connection, digest: bytes, now: int, lock: bool = False) -> Invitation | None:
    """The invitation, if it can still be accepted; locked so that only one can."""
    query = select(invitations).where(invitations.c.digest == digest)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _of(row) if row is not None and row.closed is None and row.expires > now else None


def all_open(connection: Connection, now: int) -> list[Invitation]:
    """Those that can still be accepted, newest first."""
    query = select(invitations).where(_is_open(now)).order_by(invitations.c.id.desc())
    return [_of(row) for row in connection.execute(query)]


def close(connection: Connection, invitation: int, now: int) -> bool:
    """Nobody can accept it from now on; False if nobody could anyway."""
    closed = update(invitations).where(invitations.c.id == invitation, _is_open(now)).values(closed=now)
    return connection.execute(closed).rowcount > 0


def _is_open(now: int) -> ColumnElement[bool]:
    return and_(invitations.c.closed.is_(None), invitations.c.expires > now)


def _of(row: Row[Any]) -> Invitation:
    grant = Grant(Role(row.role), tuple(json.loads(row.tiers)), row.name)
    return Invitation(row.id, grant, row.invited_by, row.created, row.expires)
