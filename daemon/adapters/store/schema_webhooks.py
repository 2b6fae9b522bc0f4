"""Tables of what is told to other programs; conventions as in `schema`."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from daemon.adapters.store.schema_base import metadata, serial

webhooks = Table(
    "webhooks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("events", Text, nullable=False),
)
"""Who wants to be told of which events, as the configuration has it: names with a space before and after."""

deliveries = Table(
    "deliveries",
    metadata,
    serial(),
    Column("uid", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("ref", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("problem", Text),
    Index(None, "state", "due"),
    sqlite_autoincrement=True,
)
"""What is still to be told, or never was: `ref` is an answer, a window or an annotator."""
