"""Who may sign in. Invitations are in `invitations`, sessions and tokens in `sessions`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Subquery, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from daemon.adapters.store import audit_log, invitations
from daemon.adapters.store.account_rows import account_of, listed, lock_account, lock_admins
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators
from daemon.adapters.store.schema_accounts import accounts, api_tokens, sessions
from daemon.adapters.store.schema_accounts import audit_log as audit_lines
from daemon.core.account_rows import (
    Account,
    AccountState,
    Actor,
    AuditEntry,
    Credentials,
    Grant,
    Invitation,
    Role,
    Standing,
)
from daemon.core.account_rules import in_words, key_of
from daemon.core.errors import AccountConflict
from daemon.core.rows import Person
from daemon.core.states import AnnotatorKind

ACTIVE, DISABLED = AccountState.ACTIVE, AccountState.DISABLED

_ANY = select(accounts.c.id).limit(1)


class AccountRoom:
    """`daemon.core.account_ports.AccountStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._persons: dict[int, Person] = {}

    def any(self) -> bool:
        """Whether there is an account, of any state."""
        with self._database.glance() as connection:
            return connection.execute(_ANY).first() is not None

    def any_invitation(self) -> bool:
        """Whether somebody can still accept an invitation."""
        return bool(self.invitations())

    def add(self, grant: Grant, password_hash: str, by: Actor) -> Account:
        """Make an account of the grant's name.

        Raises:
            AccountConflict: somebody has the name.
        """
        with _no_two_of_a_name(), self._database.write() as connection:
            now = self._database.now(connection)
            account = _make(connection, grant, grant.name or "", password_hash, now)
            audit_log.write(connection, now, by, "account made", account.name, _told(account))
            return account

    def all(self) -> list[Standing]:
        """Everybody, by name."""
        seen = _last(sessions.c.account, sessions.c.seen)
        used = _last(api_tokens.c.account, api_tokens.c.used)
        acted = _last(audit_lines.c.actor, audit_lines.c.at)
        query = (
            select(accounts, seen.c.at.label("seen"), used.c.at.label("used"), acted.c.at.label("acted"))
            .outerjoin(seen, seen.c.account == accounts.c.id)
            .outerjoin(used, used.c.account == accounts.c.id)
            .outerjoin(acted, acted.c.account == accounts.c.name)
            .order_by(accounts.c.key)
        )
        with self._database.read() as connection:
            return [
                Standing(account_of(row), max(filter(None, (row.seen, row.used, row.acted)), default=None))
                for row in connection.execute(query)
            ]

    def find(self, name: str) -> Credentials | None:
        """The account of this name, however it is capitalized."""
        with self._database.read() as connection:
            row = connection.execute(select(accounts).where(accounts.c.key == key_of(name))).one_or_none()
        return None if row is None else Credentials(account_of(row), row.password_hash)

    def change(self, account: int, role: Role, tiers: Sequence[str], by: Actor) -> Account:
        """Another role and other tiers.

        Raises:
            UnknownAccount: there is none.
            AccountConflict: no active admin would be left.
        """
        with self._database.write() as connection:
            before = _lock_unless_last(connection, account, stays_admin=role is Role.ADMIN)
            after = _set(connection, before, role=role.value, tiers=listed(tiers))
            if _told(after) != _told(before):
                now = self._database.now(connection)
                detail = f"{_told(before)} -> {_told(after)}"
                audit_log.write(connection, now, by, "rights changed", after.name, detail)
            return after

    def set_state(self, account: int, state: AccountState, by: Actor) -> Account:
        """Disabling ends all sessions and invalidates all tokens.

        Raises:
            UnknownAccount: there is none.
            AccountConflict: no active admin would be left.
        """
        with self._database.write() as connection:
            before = _lock_unless_last(connection, account, stays_admin=state is ACTIVE)
            after = _set(connection, before, state=state.value)
            now = self._database.now(connection)
            if state is DISABLED:
                connection.execute(delete(sessions).where(sessions.c.account == account))
                counting = api_tokens.c.account == account, api_tokens.c.revoked.is_(None)
                connection.execute(update(api_tokens).where(*counting).values(revoked=now))
            if state is not before.state:
                action = "account disabled" if state is DISABLED else "account enabled"
                audit_log.write(connection, now, by, action, after.name)
            return after

    def set_password(self, account: int, password_hash: str, by: Actor, keep: int | None = None) -> None:
        """Ends every session but `keep`.

        Raises:
            UnknownAccount: there is none.
        """
        with self._database.write() as connection:
            before = lock_account(connection, account)
            _set(connection, before, password_hash=password_hash)
            ended = sessions.c.account == account, sessions.c.id != (keep or 0)
            connection.execute(delete(sessions).where(*ended))
            audit_log.write(connection, self._database.now(connection), by, "password changed", before.name)

    def invite(self, grant: Grant, digest: bytes, by: Actor) -> Invitation:
        """A link for one new account.

        Raises:
            AccountConflict: somebody has the grant's name.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            if grant.name is not None:
                _check_free(connection, grant.name)
            invitation = invitations.add(connection, grant, digest, by.name, now)
            told = in_words(grant.role, grant.tiers)
            audit_log.write(connection, now, by, "invited", grant.name or "whoever has the link", told)
            return invitation

    def invitation(self, digest: bytes) -> Invitation | None:
        """The invitation, if it can still be accepted."""
        with self._database.read() as connection:
            return invitations.find(connection, digest, self._database.now(connection))

    def invitations(self) -> list[Invitation]:
        """Those that can still be accepted, newest first."""
        with self._database.read() as connection:
            return invitations.all_open(connection, self._database.now(connection))

    def accept(self, digest: bytes, name: str, password_hash: str, address: str) -> Account:
        """Make the account; the invitation is used up. `name` counts where the invitation gives none.

        Raises:
            AccountConflict: the invitation cannot be accepted any more, or the name cannot be taken.
        """
        with _no_two_of_a_name(), self._database.write() as connection:
            now = self._database.now(connection)
            invitation = invitations.find(connection, digest, now, lock=True)
            if invitation is None:
                raise AccountConflict(
                    "this invitation was used, withdrawn or has run out; ask for another one"
                )
            if invitation.grant.name is None:
                _check_no_earlier_reviewer(connection, name)
            account = _make(connection, invitation.grant, invitation.grant.name or name, password_hash, now)
            invitations.close(connection, invitation.id, now)
            detail = f"{_told(account)}, invited by {invitation.invited_by}"
            by = Actor(account.name, address)
            audit_log.write(connection, now, by, "invitation accepted", account.name, detail)
            return account

    def withdraw_invitation(self, invitation: int, by: Actor) -> None:
        """Nobody can accept it any more."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            if invitations.close(connection, invitation, now):
                audit_log.write(connection, now, by, "invitation withdrawn", f"invitation {invitation}")

    def person(self, annotator: int) -> Person | None:
        """The reviewer of this id; it is remembered, since name and tier of one never change."""
        if annotator in self._persons:
            return self._persons[annotator]
        query = select(annotators).where(
            annotators.c.id == annotator, annotators.c.kind == AnnotatorKind.PERSON.value
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return self._persons.setdefault(row.id, Person(row.id, row.name, row.tier))

    def note(self, by: Actor, action: str, subject: str) -> None:
        """Write a line of the audit log about what changed nothing."""
        with self._database.write() as connection:
            audit_log.write(connection, self._database.now(connection), by, action, subject)

    def log(self, limit: int) -> list[AuditEntry]:
        """Newest lines of the audit log first."""
        with self._database.read() as connection:
            return audit_log.read(connection, limit)


@contextmanager
def _no_two_of_a_name() -> Iterator[None]:
    """Somebody else may take the name between the look and the insert; then the database refuses it."""
    try:
        yield
    except IntegrityError as error:
        raise AccountConflict("somebody has this name already; take another one") from error


def _make(connection: Connection, grant: Grant, name: str, password_hash: str, now: int) -> Account:
    _check_free(connection, name)
    row = {
        "name": name,
        "key": key_of(name),
        "password_hash": password_hash,
        "role": grant.role.value,
        "tiers": listed(grant.tiers),
        "created": now,
    }
    return account_of(connection.execute(insert(accounts).values(row).returning(accounts)).one())


def _check_free(connection: Connection, name: str) -> None:
    if connection.execute(select(accounts.c.id).where(accounts.c.key == key_of(name))).first() is not None:
        raise AccountConflict(f"somebody is called {name!r} already; take another name")


def _check_no_earlier_reviewer(connection: Connection, name: str) -> None:
    """Answers given under a name are nobody's to claim; an invitation for that name hands them over."""
    query = select(annotators.c.name).where(annotators.c.kind == AnnotatorKind.PERSON.value)
    if key_of(name) in {key_of(earlier) for earlier in connection.execute(query).scalars()}:
        raise AccountConflict(
            f"answers were given as {name!r} before; take another name, or ask for an invitation for this one"
        )


def _lock_unless_last(connection: Connection, account: int, stays_admin: bool) -> Account:
    admins = lock_admins(connection)
    before = lock_account(connection, account)
    if not stays_admin and [admin.id for admin in admins] == [account]:
        raise AccountConflict(f"{before.name} is the only admin; make somebody else an admin first")
    return before


def _set(connection: Connection, account: Account, **values: Any) -> Account:
    changed = update(accounts).where(accounts.c.id == account.id).values(**values)
    return account_of(connection.execute(changed.returning(accounts)).one())


def _last(account: Column[Any], at: Column[Any]) -> Subquery:
    return select(account.label("account"), func.max(at).label("at")).group_by(account).subquery()


def _told(account: Account) -> str:
    return in_words(account.role, account.tiers)
