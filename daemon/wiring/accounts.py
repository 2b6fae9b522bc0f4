"""Accounts as the processes use them, and the rule of who may come in before there is one."""

import getpass

from daemon.adapters.passwords import Argon2
from daemon.adapters.store.accounts import AccountRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.login_tries import LoginTries
from daemon.adapters.store.sessions import SessionRoom
from daemon.core.account_ports import AccountStore
from daemon.core.account_rows import Actor
from daemon.core.errors import SetupProblem
from daemon.core.signing_in import Desk
from daemon.review.settings import ReviewSettings
from daemon.wiring import parts
from daemon.wiring.config import Config


def desk(database: Database) -> Desk:
    """Accounts with what proves who somebody is."""
    return Desk(AccountRoom(database), SessionRoom(database), LoginTries(database), Argon2())


def at_command_line() -> Actor:
    """Whoever sits there, as the system knows them, for the audit log."""
    return Actor(f"command line ({getpass.getuser()})")


def check_reachable(accounts: AccountStore, settings: ReviewSettings) -> None:
    """Pages that others can reach are not served before somebody can sign in.

    Raises:
        SetupProblem: others could reach the pages, and there is neither an account nor an invitation.
    """
    if settings.may_be_open or accounts.any() or accounts.any_invitation():
        return
    if settings.loopback_only:
        open_by, instead = "review.proxies: others come in by a proxy", "leave review.proxies empty"
    else:
        open_by = f"review.host: {settings.host} can be reached from other machines"
        instead = "set review.host to 127.0.0.1"
    raise SetupProblem(
        f"{open_by}, and there is no account yet; make the first one with `labelloop users add NAME --role "
        f"admin`, or {instead}"
    )


def check_open(config: Config, who: str) -> None:
    """For programs that answer without an account.

    Raises:
        SetupProblem: there are accounts.
    """
    if not parts.has_database(config):
        return
    database = parts.open_database(config)
    try:
        if AccountRoom(database).any():
            raise SetupProblem(f"{config.state} has accounts, and {who} have none: pages ask them to sign in")
    finally:
        database.close()
