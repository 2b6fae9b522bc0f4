"""Sessions of browsers and tokens of programs, found by the digest of their secret."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, delete, insert, or_, select, update

from daemon.adapters.store import audit_log
from daemon.adapters.store.account_rows import account_of, listed, lock_account
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema_accounts import accounts, api_tokens, sessions
from daemon.core.account_rows import AccountState, Actor, ApiToken, Caller, Scope, Session
from daemon.core.account_rules import IDLE_SECONDS, SESSION_SECONDS
from daemon.core.errors import AccountConflict

NOTED_AGAIN_MS = 60_000
"""When somebody was last seen is written at most so often."""

AGENT_LENGTH = 200


class SessionRoom:
    """`daemon.core.account_ports.SessionStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, account: int, digest: bytes, address: str, agent: str) -> int:
        """Sign in; id of the session. Sessions that have run out go.

        Raises:
            UnknownAccount: there is none of this id.
            AccountConflict: the account was disabled meanwhile.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            owner = lock_account(connection, account)
            if owner.state is not AccountState.ACTIVE:
                raise AccountConflict(f"the account of {owner.name} is disabled")
            connection.execute(delete(sessions).where(_over(now)))
            row = {
                "digest": digest,
                "account": account,
                "created": now,
                "seen": now,
                "address": address,
                "agent": agent[:AGENT_LENGTH],
            }
            made = connection.execute(insert(sessions).values(row).returning(sessions.c.id)).scalar_one()
            audit_log.write(connection, now, Actor(owner.name, address), "signed in", owner.name)
            return int(made)

    def by_session(self, digest: bytes) -> Caller | None:
        """Who is signed in with this; None once the session or its account ended, or was idle too long."""
        row = self._owned(sessions, digest, sessions.c.created.label("proved"), sessions.c.seen)
        if row is None or _has_run_out(row):
            return None
        if row.now - row.seen >= NOTED_AGAIN_MS:
            self._note(sessions, row.proof, {"seen": row.now})
        return Caller(account_of(row), session=row.proof)

    def by_token(self, digest: bytes) -> Caller | None:
        """Whose token this is; None once it was revoked or its account disabled."""
        row = self._owned(api_tokens, digest, api_tokens.c.used, api_tokens.c.revoked, api_tokens.c.scopes)
        if row is None or row.revoked is not None:
            return None
        if row.now - (row.used or 0) >= NOTED_AGAIN_MS:
            self._note(api_tokens, row.proof, {"used": row.now})
        return Caller(account_of(row), scopes=_scopes(row.scopes))

    def sessions(self, account: int) -> list[Session]:
        """Those that are open, last seen first."""
        with self._database.read() as connection:
            now = self._database.now(connection)
            query = select(sessions).where(sessions.c.account == account, ~_over(now))
            rows = connection.execute(query.order_by(sessions.c.seen.desc(), sessions.c.id.desc()))
            return [Session(row.id, row.created, row.seen, row.address, row.agent) for row in rows]

    def close(self, account: int, session: int, by: Actor) -> None:
        """End a session of this account; one that is not there is ended already."""
        with self._database.write() as connection:
            gone = delete(sessions).where(sessions.c.id == session, sessions.c.account == account)
            if connection.execute(gone).rowcount:
                owner = lock_account(connection, account)
                audit_log.write(connection, self._database.now(connection), by, "signed out", owner.name)

    def add_token(self, account: int, name: str, scopes: Sequence[Scope], digest: bytes, by: Actor) -> int:
        """Id of a new token.

        Raises:
            UnknownAccount: there is none of this id.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            owner = lock_account(connection, account)
            row = {
                "digest": digest,
                "account": account,
                "name": name,
                "scopes": listed(scopes),
                "created": now,
            }
            made = connection.execute(insert(api_tokens).values(row).returning(api_tokens.c.id)).scalar_one()
            detail = f"{name}: {', '.join(scopes)}"
            audit_log.write(connection, now, by, "token made", owner.name, detail)
            return int(made)

    def tokens(self, account: int) -> list[ApiToken]:
        """Those that count, newest first."""
        query = select(api_tokens).where(api_tokens.c.account == account, api_tokens.c.revoked.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(api_tokens.c.id.desc()))
            return [ApiToken(row.id, row.name, _scopes(row.scopes), row.created, row.used) for row in rows]

    def revoke_token(self, account: int, token: int, by: Actor) -> None:
        """A token of this account counts no longer; one that is not there is revoked already."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            mine = and_(api_tokens.c.id == token, api_tokens.c.account == account)
            counting = update(api_tokens).where(mine, api_tokens.c.revoked.is_(None)).values(revoked=now)
            name = connection.execute(counting.returning(api_tokens.c.name)).scalar()
            if name is not None:
                owner = lock_account(connection, account)
                audit_log.write(connection, now, by, "token revoked", owner.name, name)

    def _owned(self, table: Table, digest: bytes, *columns: ColumnElement[Any]) -> Row[Any] | None:
        """Row of the active account that a session or a token belongs to, with its `proof` and `now`.

        One query, as every call makes it.
        """
        with self._database.glance() as connection:
            query = (
                select(accounts, table.c.id.label("proof"), self._database.clock(connection).label("now"))
                .add_columns(*columns)
                .join(accounts, accounts.c.id == table.c.account)
                .where(table.c.digest == digest, accounts.c.state == AccountState.ACTIVE.value)
            )
            return connection.execute(query).one_or_none()

    def _note(self, table: Table, id_: int, values: dict[str, int]) -> None:
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.id == id_).values(**values))


def _over(now: int) -> ColumnElement[bool]:
    """Whether a session has run out, for its age or for being idle."""
    return or_(
        sessions.c.created <= now - SESSION_SECONDS * 1_000, sessions.c.seen <= now - IDLE_SECONDS * 1_000
    )


def _has_run_out(row: Row[Any]) -> bool:
    return bool(row.proved <= row.now - SESSION_SECONDS * 1_000 or row.seen <= row.now - IDLE_SECONDS * 1_000)


def _scopes(stored: str) -> tuple[Scope, ...]:
    return tuple(Scope(scope) for scope in json.loads(stored))
