"""Tables of calls to language models; conventions as in `schema`."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from daemon.adapters.store.schema_base import metadata, serial

calls = Table(
    "calls",
    metadata,
    serial(),
    Column("at", BigInteger, nullable=False),
    Column("tier", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("annotator", Integer, ForeignKey("annotators.id")),
    Column("question", BigInteger),
    Column("item", Text),
    Column("run", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False, server_default="0"),
    Column("tokens_in", BigInteger, nullable=False, server_default="0"),
    Column("tokens_out", BigInteger, nullable=False, server_default="0"),
    Column("seconds", REAL, nullable=False, server_default="0"),
    Column("cached", Boolean, nullable=False, server_default=false()),
    Column("deadline", BigInteger, nullable=False),
    Column("trace", Text),
    Index(None, "item"),
    Index(None, "tier"),
    Index(
        "ix_calls_reserved",
        "deadline",
        postgresql_where=text("state = 'reserved'"),
        sqlite_where=text("state = 'reserved'"),
    ),
    sqlite_autoincrement=True,
)

chat_cache = Table(
    "chat_cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("reply", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

judgments = Table(
    "judgments",
    metadata,
    Column("annotator", Integer, ForeignKey("annotators.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("said_ab", SmallInteger, nullable=False),
    Column("said_ba", SmallInteger, nullable=False),
    Column("first_ab", REAL, nullable=False),
    Column("first_ba", REAL, nullable=False),
)
"""What judges of pairs said in both orders, flips too: labels in terms of A and B, and how likely what was
read first is preferred."""
