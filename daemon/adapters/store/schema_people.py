"""Tables about how well people answer; conventions as in `schema`."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from daemon.adapters.store.schema_base import metadata, serial

controls = Table(
    "controls",
    metadata,
    Column("question", BigInteger, ForeignKey("questions.id"), primary_key=True),
    Column("annotator", Integer, ForeignKey("annotators.id"), nullable=False),
    Column("item", Text, nullable=False),
    Column("truth", LargeBinary, nullable=False),
    Column("labels", LargeBinary),
    Column("seconds", REAL, nullable=False, server_default="0"),
    Column("at", BigInteger),
    Index(None, "annotator", "at"),
    Index(None, "item"),
)
"""Control questions: what is known of the item when it is asked, and what was answered, null until then.
Their answers are not in `answers`: they say nothing of the item."""

flags = Table(
    "flags",
    metadata,
    serial(),
    Column("question", BigInteger, ForeignKey("questions.id"), nullable=False),
    Column("annotator", Integer, ForeignKey("annotators.id"), nullable=False),
    Column("item", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("question", "annotator"),
    Index(None, "item"),
    sqlite_autoincrement=True,
)
"""Items that somebody of a tier wants to go up a tier, and why."""

truths = Table(
    "truths",
    metadata,
    Column("item", Text, primary_key=True),
    Column("labels", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""Labels that somebody vouches for, imported or edited: of stored items and of items that may still come."""
