"""What `labelloop check` says about who may come in."""

from sqlalchemy import inspect

from daemon.adapters.store.accounts import AccountRoom
from daemon.adapters.store.engine import Database
from daemon.core.account_rows import AccountState
from daemon.core.errors import SetupProblem
from daemon.wiring import parts
from daemon.wiring.checks import Finding, State, ok
from daemon.wiring.config import Config

INVITED = "nobody yet; there are invitations"
OPEN = "none: everybody on this computer can answer under any name; labelloop users add makes the first"
CLOSED = (
    "none, and others could reach the pages: labelloop users add NAME --role admin, before they are served"
)


def accounts(config: Config) -> Finding:
    """Are there accounts, and could the pages be served without?"""
    if not parts.has_database(config):
        return _nobody(config)
    database = Database(config.database_url)
    try:
        with database.read() as connection:
            if not inspect(connection).has_table("accounts"):
                return _nobody(config)
        room = AccountRoom(database)
        active = [one for one in room.all() if one.account.state is AccountState.ACTIVE]
        if active:
            return ok(f"{len(active)} may sign in")
        return Finding(State.NOTE, INVITED) if room.any_invitation() else _nobody(config)
    except SetupProblem:
        return Finding(State.NOTE, "not known, as the database cannot be opened")
    finally:
        database.close()


def _nobody(config: Config) -> Finding:
    return ok(OPEN) if config.review.may_be_open else Finding(State.PROBLEM, CLOSED)
