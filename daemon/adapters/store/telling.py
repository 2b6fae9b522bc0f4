"""Events written down in the transactions in which they happen, for whoever subscribed to them."""

import uuid

from sqlalchemy import Connection, insert, literal, select

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
    wanted = select(
        literal(uuid.uuid4().hex), webhooks.c.name, literal(event), literal(ref), literal(now), literal(now)
    ).where(webhooks.c.events.contains(f" {event} "))
    columns = ["uid", "webhook", "event", "ref", "at", "due"]
    connection.execute(insert(deliveries).from_select(columns, wanted))
