"""Which role may do what, and what passwords, names and waits must be: pure rules."""

import unicodedata
from collections.abc import Collection, Iterable
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from daemon.core.account_rows import Account, Caller, Role, Scope

PASSWORD_LENGTH = range(12, 257)
NAME_LENGTH = range(1, 81)

INVITATION_SECONDS = 7 * 86_400
SESSION_SECONDS = 14 * 86_400
IDLE_SECONDS = 12 * 3_600

FREE_TRIES_BY_NAME = 5
FREE_TRIES_BY_ADDRESS = 20
LONGEST_WAIT_SECONDS = 900
FORGET_TRIES_SECONDS = 86_400


class Right(StrEnum):
    """What a route may need.

    PUBLIC: nothing. KNOWN: an account, by session or token. OWN: a session, as it is about the account
    itself. ANSWER: to answer questions. WATCH: to see the loop, items with their votes, and people's figures.
    LEAD: to pause reviewers and let them go on. PEOPLE: to see who has an account. MANAGE: to change that.
    """

    PUBLIC = "public"
    KNOWN = "known"
    OWN = "own"
    ANSWER = "answer"
    WATCH = "watch"
    LEAD = "lead"
    PEOPLE = "people"
    MANAGE = "manage"


_ANYBODY = frozenset({Right.PUBLIC})
_REVIEWING = _ANYBODY | {Right.KNOWN, Right.OWN, Right.ANSWER}
_LEADING = _REVIEWING | {Right.WATCH, Right.LEAD, Right.PEOPLE}

BY_ROLE = {
    Role.REVIEWER: _REVIEWING,
    Role.EXPERT: _REVIEWING,
    Role.LEAD: _LEADING,
    Role.ADMIN: _LEADING | {Right.MANAGE},
}
BY_SCOPE = {
    Scope.ANSWER: frozenset({Right.ANSWER}),
    Scope.READ: frozenset({Right.WATCH, Right.PEOPLE}),
    Scope.MANAGE: frozenset({Right.LEAD, Right.PEOPLE, Right.MANAGE}),
}


def rights(caller: Caller | None) -> frozenset[Right]:
    """What this caller may do; None is somebody unknown. A token never has more than its owner."""
    if caller is None:
        return _ANYBODY
    of_role = BY_ROLE[caller.account.role]
    if caller.scopes is None:
        return of_role
    of_scopes = frozenset(right for scope in caller.scopes for right in BY_SCOPE[scope])
    return of_role & (of_scopes | {Right.PUBLIC, Right.KNOWN})


def scopes_of(role: Role) -> tuple[Scope, ...]:
    """Scopes that give a token of somebody in this role any right at all."""
    return tuple(scope for scope in Scope if BY_SCOPE[scope] & BY_ROLE[role])


def tiers_open_to(role: Role, tiers: Iterable[str], final: Collection[str]) -> tuple[str, ...]:
    """Those of the tiers that the role may answer in: what is final, the truth, is not for reviewers."""
    return tuple(tier for tier in tiers if role is not Role.REVIEWER or tier not in final)


def tier_problem(role: Role, wanted: Iterable[str], tiers: Collection[str], final: Collection[str]) -> str:
    """Why somebody in this role cannot be given these tiers; empty if they can."""
    for tier in wanted:
        if tier not in tiers:
            return f"there is no tier {tier!r} that people answer in; the tiers: {', '.join(tiers)}"
        if not tiers_open_to(role, [tier], final):
            return f"answers in tier {tier!r} are the truth; give role expert, lead or admin for it"
    return ""


def in_words(role: Role, tiers: Iterable[str]) -> str:
    """Role and tiers as people read them."""
    return f"{role.value} in {', '.join(tiers) or 'no tier'}"


def may_answer_in(account: Account, tier: str, final: Collection[str]) -> bool:
    """Whether this is a tier that the account was given."""
    return tier in account.tiers and bool(tiers_open_to(account.role, [tier], final))


def password_problem(password: str, name: str) -> str:
    """Why this cannot be a password; empty if it can."""
    if len(password) < PASSWORD_LENGTH.start:
        return f"a password has at least {PASSWORD_LENGTH.start} characters; this one has {len(password)}"
    if len(password) not in PASSWORD_LENGTH:
        return f"a password has at most {PASSWORD_LENGTH.stop - 1} characters"
    if len(set(password)) < 4 or key_of(password) == key_of(name):
        return "this password would be guessed at once; take another one"
    return ""


def name_problem(name: str) -> str:
    """Why nobody can be called so; empty if they can."""
    if len(name) not in NAME_LENGTH:
        return f"a name has {NAME_LENGTH.start} to {NAME_LENGTH.stop - 1} characters"
    if name != name.strip() or not name.isprintable():
        return (
            "a name begins and ends with a visible character, and has no others than visible ones and spaces"
        )
    return ""


def key_of(name: str) -> str:
    """What two names share that people would take for the same."""
    return unicodedata.normalize("NFKC", name).casefold()


def login_wait(failures: int, free: int) -> int:
    """Seconds until the next try after so many failures in a row: none at first, then twice as long each."""
    if failures < free:
        return 0
    return min(1 << min(failures - free, 30), LONGEST_WAIT_SECONDS)


def network_of(address: str) -> str:
    """What counts as one address of somebody who tries passwords: of IPv6 the first 64 bits."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return f"{IPv6Address(int(known) >> 64 << 64)}/64"
