"""The audit log of accounts: lines that are written beside each change and never altered."""

from sqlalchemy import Connection, insert, select

from daemon.adapters.store.schema_accounts import audit_log
from daemon.core.account_rows import Actor, AuditEntry


def write(connection: Connection, now: int, by: Actor, action: str, subject: str, detail: str = "") -> None:
    """Say that `by` did something about `subject`."""
    line = {"at": now, "actor": by.name, "action": action, "subject": subject, "detail": detail}
    connection.execute(insert(audit_log).values(**line, address=by.address))


def read(connection: Connection, limit: int) -> list[AuditEntry]:
    """Newest lines first."""
    rows = connection.execute(select(audit_log).order_by(audit_log.c.id.desc()).limit(limit))
    return [AuditEntry(row.at, row.actor, row.action, row.subject, row.detail, row.address) for row in rows]
