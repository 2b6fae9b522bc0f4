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
