"""How long somebody waits who tries passwords: kept in the database, so that it holds in every process."""

from math import ceil

from sqlalchemy import Connection, Row, delete, select, update

from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema_accounts import login_tries
from daemon.core.account_rules import (
    FORGET_TRIES_SECONDS,
    FREE_TRIES_BY_ADDRESS,
    FREE_TRIES_BY_NAME,
    key_of,
    login_wait,
    network_of,
)


class LoginTries:
    """`daemon.core.account_ports.LoginGate` on SQLite or PostgreSQL.

    A try counts as failed before the password is looked at, so that many at once are no way around it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def attempt(self, name: str, address: str) -> int:
        """Seconds to wait; 0 if the try may go on, which then counts as failed until `passed`."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            connection.execute(
                delete(login_tries).where(login_tries.c.at < now - FORGET_TRIES_SECONDS * 1_000)
            )
            free = {
                _by_address(address): FREE_TRIES_BY_ADDRESS,
                _by_name(name): FREE_TRIES_BY_NAME,
            }
            rows = [_lock(connection, key, now) for key in sorted(free)]
            wait = max(int(row.until) for row in rows) - now
            if wait > 0:
                return ceil(wait / 1_000)
            for row in rows:
                failures = row.failures + 1
                until = now + login_wait(failures, free[row.key]) * 1_000
                _set(connection, row.key, failures=failures, at=now, until=until)
            return 0

    def passed(self, name: str, address: str) -> None:
        """The password was right: failures of this name are forgotten, and this try of the address."""
        with self._database.write() as connection:
            here = _by_address(address)
            known = connection.execute(
                select(login_tries).where(login_tries.c.key == here).with_for_update()
            ).one_or_none()
            if known is not None:
                _set(connection, here, failures=max(known.failures - 1, 0), until=0)
            connection.execute(delete(login_tries).where(login_tries.c.key == _by_name(name)))


def _by_name(name: str) -> str:
    return f"name {key_of(name)}"


def _by_address(address: str) -> str:
    return f"address {network_of(address)}"


def _lock(connection: Connection, key: str, now: int) -> Row[tuple[str, int, int, int]]:
    connection.execute(
        upsert(connection, login_tries, ["key"], []), {"key": key, "failures": 0, "at": now, "until": 0}
    )
    return connection.execute(select(login_tries).where(login_tries.c.key == key).with_for_update()).one()


def _set(connection: Connection, key: str, **values: int) -> None:
    connection.execute(update(login_tries).where(login_tries.c.key == key).values(**values))
