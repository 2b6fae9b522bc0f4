"""Events written down in the transactions in which they happen, for whoever subscribed to them."""

import uuid

from sqlalchemy import BigInteger, Connection, Text, bindparam, insert, select

from daemon.adapters.store.schema_webhooks import deliveries, webhooks
from daemon.core.webhooks import ACCEPTED, ANSWERED, PAUSED


def answered(connection: Connection, answer: int, now: int) -> None:
    """An answer was given."""
    _put(connection, ANSWERED, answer, now)


def accepted(connection: Connection, window: int, now: int) -> None:
    """A window released labels."""
    _put(connection, ACCEPTED, window, now)


def paused(connection: Connection, annotator: int, now: int) -> None:
    """A reviewer was paused."""
    _put(connection, PAUSED, annotator, now)


def _put(connection: Connection, event: str, ref: int, now: int) -> None:
    values = {"uid": uuid.uuid4().hex, "event": event, "listens": f"% {event} %", "ref": ref, "now": now}
    connection.execute(_TOLD, values)


_TOLD = insert(deliveries).from_select(
    ["uid", "webhook", "event", "ref", "at", "due"],
    select(
        bindparam("uid", type_=Text),
        webhooks.c.name,
        bindparam("event", type_=Text),
        bindparam("ref", type_=BigInteger),
        bindparam("now", type_=BigInteger),
        bindparam("now", type_=BigInteger),
    ).where(webhooks.c.events.like(bindparam("listens", type_=Text))),
)
