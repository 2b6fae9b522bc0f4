"""Accounts as the processes use them, and the rule of who may come in before there is one."""

from daemon.adapters.passwords import Argon2
from daemon.adapters.store.accounts import AccountRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.login_tries import LoginTries
from daemon.adapters.store.sessions import SessionRoom
from daemon.core.account_ports import AccountStore
from daemon.core.errors import SetupProblem
from daemon.core.signing_in import Desk
from daemon.review.settings import ReviewSettings


def desk(database: Database) -> Desk:
    """Accounts with what proves who somebody is."""
    return Desk(AccountRoom(database), SessionRoom(database), LoginTries(database), Argon2())


def check_reachable(accounts: AccountStore, settings: ReviewSettings) -> None:
    """Pages that others can reach are not served before somebody can sign in.

    Raises:
        SetupProblem: review.host is not on loopback, and there is neither an account nor an invitation.
    """
    if settings.loopback_only or accounts.any() or accounts.any_invitation():
        return
    raise SetupProblem(
        f"review.host: {settings.host} can be reached from other machines, and there is no account yet; make "
        "the first one with `labelloop users add NAME --role admin`, or set review.host to 127.0.0.1"
    )
