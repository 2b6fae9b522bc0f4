"""People with accounts, and what proves who they are, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for; `daemon.core.account_rules` says what each may do."""

    REVIEWER = "reviewer"
    EXPERT = "expert"
    LEAD = "lead"
    ADMIN = "admin"


class AccountState(StrEnum):
    """A disabled account stays, with everything that it did, and lets nobody in."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Scope(StrEnum):
    """What an API token may be used for, within what its owner may do."""

    ANSWER = "answer"
    READ = "read"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. `tiers`: whose questions they may answer. `created`: ms, UTC."""

    id: int
    name: str
    role: Role
    tiers: tuple[str, ...]
    state: AccountState
    created: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with the hash of its password."""

    account: Account
    password_hash: str


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as the people page shows it. `seen`: when it last called, ms; None if it never did."""

    account: Account
    seen: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, for the audit log: a name, and the address that they came from."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account is given. `name`: its name; None lets whoever accepts the invitation choose."""

    role: Role
    tiers: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that makes one account, once. `expires`: ms, UTC."""

    id: int
    grant: Grant
    invited_by: str
    created: int
    expires: int


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in at a browser. Times: ms, UTC."""

    id: int
    created: int
    seen: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What a program shows instead of a password. Times: ms, UTC; `used` None if it never was."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created: int
    used: int | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call. `session` is None for a token, `scopes` is None for a session."""

    account: Account
    session: int | None = None
    scopes: Sequence[Scope] | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line of the audit log: when (ms), who, what, about whom, from which address."""

    at: int
    actor: str
    action: str
    subject: str
    detail: str
    address: str
