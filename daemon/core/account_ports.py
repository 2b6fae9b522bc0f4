"""What accounts need from the outside. Every store method is one transaction; times are the database's clock.

Secrets (of sessions, tokens and invitations) reach the stores as digests only (`account_secrets.digest`).
Whatever changes something takes an Actor and writes a line of the audit log in the same transaction.
"""

from collections.abc import Sequence
from typing import Protocol

from daemon.core.account_rows import (
    Account,
    AccountState,
    Actor,
    ApiToken,
    AuditEntry,
    Caller,
    Credentials,
    Grant,
    Invitation,
    Role,
    Scope,
    Session,
    Standing,
)
from daemon.core.rows import Person


class AccountStore(Protocol):
    """Who may sign in, and who was invited. An id that is none is UnknownAccount."""

    def any(self) -> bool:
        """Whether there is an account, of any state."""

    def any_invitation(self) -> bool:
        """Whether somebody can still accept an invitation."""

    def add(self, grant: Grant, password_hash: str, by: Actor) -> Account:
        """Make an account of the grant's name; raises AccountConflict if somebody has the name."""

    def all(self) -> list[Standing]:
        """Everybody, by name."""

    def find(self, name: str) -> Credentials | None:
        """The account of this name, however it is capitalized."""

    def change(self, account: int, role: Role, tiers: Sequence[str], by: Actor) -> Account:
        """Another role and other tiers; raises AccountConflict if no active admin would be left."""

    def set_state(self, account: int, state: AccountState, by: Actor) -> Account:
        """Disabling ends all sessions and invalidates all tokens; raises AccountConflict as `change` does."""

    def set_password(self, account: int, password_hash: str, by: Actor, keep: int | None = None) -> None:
        """Ends every session but `keep`."""

    def invite(self, grant: Grant, digest: bytes, by: Actor) -> Invitation:
        """Raises AccountConflict if somebody has the grant's name."""

    def invitation(self, digest: bytes) -> Invitation | None:
        """The invitation, if it can still be accepted."""

    def invitations(self) -> list[Invitation]:
        """Those that can still be accepted, newest first."""

    def accept(self, digest: bytes, name: str, password_hash: str, address: str) -> Account:
        """Make the account; the invitation is used up. `name` counts where the invitation gives none.

        Raises AccountConflict if the invitation cannot be accepted any more, if somebody has the name, or if
        the name, freely chosen, stands on answers that were given before there were accounts.
        """

    def withdraw_invitation(self, invitation: int, by: Actor) -> None:
        """Nobody can accept it any more."""

    def person(self, annotator: int) -> Person | None:
        """The reviewer of this id."""

    def note(self, by: Actor, action: str, subject: str) -> None:
        """Write a line of the audit log about what changed nothing."""

    def log(self, limit: int) -> list[AuditEntry]:
        """Newest lines of the audit log first."""


class SessionStore(Protocol):
    """Sessions of browsers and tokens of programs."""

    def open(self, account: int, digest: bytes, address: str, agent: str) -> int:
        """Sign in; id of the session."""

    def by_session(self, digest: bytes) -> Caller | None:
        """Who is signed in with this; None once the session or its account ended, or was idle too long."""

    def by_token(self, digest: bytes) -> Caller | None:
        """Whose token this is; None once it was revoked or its account disabled."""

    def sessions(self, account: int) -> list[Session]:
        """Those that are open, last seen first."""

    def close(self, account: int, session: int, by: Actor) -> None:
        """End a session of this account; one that is not there is ended already."""

    def add_token(self, account: int, name: str, scopes: Sequence[Scope], digest: bytes, by: Actor) -> int:
        """Id of a new token."""

    def tokens(self, account: int) -> list[ApiToken]:
        """Those that count, newest first."""

    def revoke_token(self, account: int, token: int, by: Actor) -> None:
        """A token of this account counts no longer; one that is not there is revoked already."""


class LoginGate(Protocol):
    """Who tries passwords too often waits, whichever process they come to."""

    def attempt(self, name: str, address: str) -> int:
        """Seconds to wait; 0 if the try may go on, which then counts as failed until `passed`."""

    def passed(self, name: str, address: str) -> None:
        """The password was right: failures of this name are forgotten, and this try of the address."""


class Passwords(Protocol):
    """Slow hashes of passwords; both raise PasswordsBusy when too many are wanted at once."""

    def hash(self, password: str) -> str:
        """A salted hash that says how it was made."""

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one; None is never, and takes as long to find out."""
