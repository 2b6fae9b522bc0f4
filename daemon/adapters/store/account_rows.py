"""Rows of accounts, as the core knows them, and how they are found and locked."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from daemon.adapters.store.schema_accounts import accounts
from daemon.core.account_rows import Account, AccountState, Role
from daemon.core.errors import UnknownAccount


def account_of(row: Row[Any]) -> Account:
    """A row of `accounts`."""
    tiers = tuple(json.loads(row.tiers))
    return Account(row.id, row.name, Role(row.role), tiers, AccountState(row.state), row.created)


def listed(values: Sequence[str]) -> str:
    """As lists are stored."""
    return json.dumps(list(values))


def lock_account(connection: Connection, account: int) -> Account:
    """The account, locked.

    Raises:
        UnknownAccount: there is none.
    """
    row = connection.execute(select(accounts).where(accounts.c.id == account).with_for_update()).one_or_none()
    if row is None:
        raise UnknownAccount(f"there is no account {account}")
    return account_of(row)


def lock_admins(connection: Connection) -> list[Account]:
    """All active admins, locked: two of them cannot dismiss each other."""
    query = select(accounts).where(
        accounts.c.role == Role.ADMIN.value, accounts.c.state == AccountState.ACTIVE.value
    )
    return [account_of(row) for row in connection.execute(query.order_by(accounts.c.id).with_for_update())]
