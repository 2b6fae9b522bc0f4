"""`labelloop users`: accounts from the command line, for whoever may open the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from daemon.core.account_rows import Account, AccountState, Grant, Invitation, Role, Scope
from daemon.core.account_rules import (
    in_words,
    name_problem,
    password_problem,
    scopes_of,
    tier_problem,
    tiers_open_to,
)
from daemon.core.account_secrets import digest, new_secret, new_token
from daemon.core.errors import AccountConflict, SetupProblem, UnknownAccount
from daemon.core.signing_in import Desk
from daemon.wiring import accounts, parts
from daemon.wiring.config import Config


def add(config: Config, name: str, role: Role, tiers: Sequence[str], password: str | None) -> str:
    """Make an account, or without a password an invitation for it; what to tell.

    Raises:
        SetupProblem: the name, the tiers or the password cannot be taken.
    """
    _check(name_problem(name))
    grant = Grant(role, _tiers(config, role, tiers), name)
    if password is None:
        return _invite(config, grant)
    _check(password_problem(password, name))
    with _desk(config) as desk:
        account = desk.accounts.add(grant, desk.passwords.hash(password), accounts.at_command_line())
    return f"{_told(account)} may sign in at {_address(config)}/login"


def invite(config: Config, role: Role, tiers: Sequence[str]) -> str:
    """An invitation for whoever has the link; what to tell.

    Raises:
        SetupProblem: the tiers cannot be given to this role.
    """
    return _invite(config, Grant(role, _tiers(config, role, tiers)))


def show(config: Config) -> None:
    """Print everybody and the open invitations."""
    with _desk(config) as desk:
        everybody, invitations = desk.accounts.all(), desk.accounts.invitations()
    table = Table("name", "role", "tiers", "state", "last seen", title="Accounts", title_justify="left")
    for one in everybody:
        account = one.account
        seen = "never" if one.seen is None else _moment(one.seen)
        table.add_row(account.name, account.role, ", ".join(account.tiers), account.state, seen)
    console = Console()
    console.print(table if everybody else "no accounts yet: labelloop users add NAME --role admin")
    if invitations:
        console.print(_open(invitations))


def set_state(config: Config, name: str, state: AccountState) -> str:
    """Disable or enable an account; what to tell.

    Raises:
        SetupProblem: nobody has this name, or no active admin would be left.
    """
    with _desk(config) as desk:
        account = desk.accounts.set_state(_find(desk, name).id, state, accounts.at_command_line())
    done = (
        "is disabled; its sessions and tokens have ended" if state is AccountState.DISABLED else "is enabled"
    )
    return f"{account.name} {done}"


def set_password(config: Config, name: str, password: str) -> str:
    """Set somebody's password; what to tell.

    Raises:
        SetupProblem: nobody has this name, or the password cannot be taken.
    """
    _check(password_problem(password, name))
    with _desk(config) as desk:
        account = _find(desk, name)
        desk.accounts.set_password(account.id, desk.passwords.hash(password), accounts.at_command_line())
    return f"the password of {account.name} is changed; their sessions have ended"


def token(config: Config, name: str, scopes: Sequence[Scope], purpose: str) -> str:
    """A new API token.

    Raises:
        SetupProblem: nobody has this name, or a scope gives their role nothing.
    """
    secret = new_token()
    with _desk(config) as desk:
        account = _find(desk, name)
        for scope in scopes:
            if scope not in scopes_of(account.role):
                raise SetupProblem(
                    f"--scope {scope}: not for role {account.role}; {account.name} can have: "
                    f"{', '.join(scopes_of(account.role))}"
                )
        desk.sessions.add_token(account.id, purpose, scopes, digest(secret), accounts.at_command_line())
    return secret


@contextmanager
def _desk(config: Config) -> Iterator[Desk]:
    database = parts.open_database(config)
    try:
        yield accounts.desk(database)
    except (AccountConflict, UnknownAccount) as error:
        raise SetupProblem(str(error)) from error
    finally:
        database.close()


def _invite(config: Config, grant: Grant) -> str:
    secret = new_secret()
    with _desk(config) as desk:
        invitation = desk.accounts.invite(grant, digest(secret), accounts.at_command_line())
    return (
        f"invitation for {grant.name or 'whoever has this link'} as {in_words(grant.role, grant.tiers)}; "
        f"it works once, until {_moment(invitation.expires)}:\n"
        f"{_address(config)}/invitation#{secret}"
    )


def _tiers(config: Config, role: Role, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those that were named, or all that the role may answer in."""
    reviewed = [name for name, tier in config.tiers.items() if tier.is_web]
    final = {name for name, tier in config.tiers.items() if tier.final}
    if not wanted:
        return tiers_open_to(role, reviewed, final)
    problem = tier_problem(role, wanted, reviewed, final)
    _check(problem and f"--tier: {problem}")
    return tuple(dict.fromkeys(wanted))


def _find(desk: Desk, name: str) -> Account:
    found = desk.accounts.find(name)
    if found is None:
        raise UnknownAccount(f"nobody is called {name!r}; labelloop users list shows everybody")
    return found.account


def _check(problem: str) -> None:
    if problem:
        raise SetupProblem(problem)


def _address(config: Config) -> str:
    """Where the pages are opened: the name that a proxy has for them, if one is configured."""
    review = config.review
    if review.names:
        return f"https://{review.names[0]}"
    host = "127.0.0.1" if review.host in ("0.0.0.0", "::") else review.host
    return f"http://{f'[{host}]' if ':' in host else host}:{review.port}"


def _told(account: Account) -> str:
    return f"{account.name} ({in_words(account.role, account.tiers)})"


def _open(invitations: Sequence[Invitation]) -> Table:
    table = Table("for", "role", "tiers", "until", title="Open invitations", title_justify="left")
    for one in invitations:
        tiers = ", ".join(one.grant.tiers)
        table.add_row(one.grant.name or "whoever has the link", one.grant.role, tiers, _moment(one.expires))
    return table


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1_000, UTC):%Y-%m-%d %H:%M} UTC"
