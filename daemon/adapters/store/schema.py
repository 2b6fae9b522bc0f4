"""Every table. Money is integer micro-units, times are milliseconds since 1970 UTC on the database's clock.

Arrays are numpy bytes, little endian: votes and labels i1, probabilities f4, embeddings f2, annotator ids
i4, window figures f8 and i8. Rows that are written in bulk by the one transaction that also writes what
they point to carry no foreign key; rows that another process writes do.
"""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from daemon.adapters.store import (
    schema_accounts,
    schema_base,
    schema_calls,
    schema_people,
    schema_webhooks,
)
from daemon.adapters.store.schema_base import serial

metadata = schema_base.metadata
calls, chat_cache, judgments = schema_calls.calls, schema_calls.chat_cache, schema_calls.judgments
accounts = schema_accounts.accounts
controls, flags, truths = schema_people.controls, schema_people.flags, schema_people.truths
webhooks, deliveries = schema_webhooks.webhooks, schema_webhooks.deliveries

positions = Table(
    "positions",
    metadata,
    Column("topic_id", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False, server_default="0"),
)

items = Table(
    "items",
    metadata,
    Column("id", Text, primary_key=True),
    Column("topic_id", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("subject", Text),
    Column("payload", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("functions", Integer, nullable=False),
    Column("inline", LargeBinary, nullable=False),
    Column("classifier", LargeBinary),
    Column("bundle", BigInteger),
    Column("posterior", LargeBinary, nullable=False),
    Column("labels", LargeBinary, nullable=False),
    Column("score", REAL, nullable=False),
    Column("state", Text, nullable=False),
    Column("window", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("sent_back", Integer, nullable=False, server_default="0"),
    Column("ready_since", BigInteger),
    Column("changed", BigInteger, nullable=False),
    Index(None, "state", "ready_since"),
    Index(None, "arrived"),
    Index(
        None,
        "subject",
        postgresql_where=text("subject IS NOT NULL"),
        sqlite_where=text("subject IS NOT NULL"),
    ),
)

annotators = Table(
    "annotators",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("tier", Text),
    Column("state", Text, nullable=False, server_default="active"),
    Column("state_at", BigInteger),
    Column("note", Text),
    UniqueConstraint("kind", "name", "version"),
    sqlite_autoincrement=True,
)

function_sets = Table(
    "function_sets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("annotators", LargeBinary, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

windows = Table(
    "windows",
    metadata,
    serial(),
    Column("state", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("p", Double, nullable=False),
    Column("alpha", Double, nullable=False),
    Column("delta", Double, nullable=False),
    Column("lambdas", LargeBinary, nullable=False),
    Column("start", Integer, nullable=False),
    Column("tier", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("priority", Double, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("frozen_at", BigInteger, nullable=False),
    Column("frozen", LargeBinary, nullable=False),
    Column("seed", Text),
    Column("audited", LargeBinary),
    Column("accepted", LargeBinary),
    Column("errors", LargeBinary),
    Column("tau", Double),
    Column("certified", Integer),
    Column("wrong", LargeBinary),
    Column("closed_at", BigInteger),
    Column("protocol", Text, nullable=False, server_default="single"),
    Column("outgoing_p", Double),
    Column("outgoing_seed", Text),
    Column("outgoing", LargeBinary),
    Column("outgoing_deadline", BigInteger),
    Column("outgoing_open", Integer),
    Column("outgoing_wrong", Integer),
    Column("rest", Double),
    Column("limits", LargeBinary),
    Index(None, "state", "id"),
    sqlite_autoincrement=True,
)

ledgers = Table(
    "ledgers",
    metadata,
    serial(),
    Column("after_window", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)

alarms = Table(
    "alarms",
    metadata,
    serial(),
    Column("at", BigInteger, nullable=False),
    Column("signal", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("size", Double, nullable=False),
    Column("process", Text, nullable=False),
    Column("bundle", BigInteger),
    Column("ended_at", BigInteger),
    Column("last_at", BigInteger, nullable=False, server_default="0"),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("items", BigInteger, nullable=False, server_default="0"),
    Column("ended_by", BigInteger),
    Index(
        "uq_alarms_open",
        "signal",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
        sqlite_where=text("ended_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

questions = Table(
    "questions",
    metadata,
    serial(),
    Column("item", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("window", BigInteger, ForeignKey("windows.id")),
    Column("priority", Double, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("reserved_for", Integer, ForeignKey("annotators.id")),
    Column("holder", Integer, ForeignKey("annotators.id")),
    Column("leased_until", BigInteger),
    Column("attempt", SmallInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False, server_default="open"),
    Column("created", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("chance", Double),
    Index(None, "item"),
    Index(
        "ix_questions_gold",
        "state",
        postgresql_where=text("purpose = 'gold'"),
        sqlite_where=text("purpose = 'gold'"),
    ),
    Index(
        None,
        "window",
        postgresql_where=text('"window" IS NOT NULL'),
        sqlite_where=text('"window" IS NOT NULL'),
    ),
    Index(
        None, "holder", postgresql_where=text("holder IS NOT NULL"), sqlite_where=text("holder IS NOT NULL")
    ),
    sqlite_autoincrement=True,
)

# In the order of leases: without it a planner with old statistics sorts the whole queue for each.
Index(
    "ix_questions_queue",
    questions.c.tier,
    questions.c.state,
    questions.c.priority.desc(),
    questions.c.id,
)

STANDING = "retracted_at IS NULL"

answers = Table(
    "answers",
    metadata,
    serial(),
    Column("item", Text, nullable=False),
    Column("annotator", Integer, ForeignKey("annotators.id"), nullable=False),
    Column("question", BigInteger, ForeignKey("questions.id")),
    Column("purpose", Text, nullable=False),
    Column("labels", LargeBinary, nullable=False),
    Column("probabilities", LargeBinary),
    Column("seconds", REAL, nullable=False, server_default="0"),
    Column("cost", BigInteger, nullable=False, server_default="0"),
    Column("trace", Text),
    Column("external", Text, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("retracted_at", BigInteger),
    Index(
        "uq_answers_standing",
        "item",
        "annotator",
        unique=True,
        postgresql_where=text(STANDING),
        sqlite_where=text(STANDING),
    ),
    Index(None, "question"),
    Index(None, "purpose"),
    Index(None, "annotator", "id"),
    sqlite_autoincrement=True,
)

skips = Table(
    "skips",
    metadata,
    Column("question", BigInteger, ForeignKey("questions.id"), primary_key=True),
    Column("annotator", Integer, ForeignKey("annotators.id"), primary_key=True),
)

labels = Table(
    "labels",
    metadata,
    Column("item", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("labels", LargeBinary, nullable=False),
    Column("probabilities", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("window", BigInteger),
    Column("bundle", BigInteger),
    Column("cost", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    serial("seq"),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("messages", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

recheck = Table(
    "recheck",
    metadata,
    serial("seq"),
    Column("item", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due", BigInteger, nullable=False, server_default="0"),
    Index(None, "due", "seq"),
    sqlite_autoincrement=True,
)

bundles = Table(
    "bundles",
    metadata,
    serial(),
    Column("digest", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("run_id", Text),
    Column("mlflow_version", Text),
    Column("current", Boolean, nullable=False),
    Column("trained_at", BigInteger, nullable=False),
    Column("promoted_at", BigInteger),
    Column("answers_seen", BigInteger, nullable=False),
    Index(
        "uq_bundles_current",
        "current",
        unique=True,
        postgresql_where=text("current"),
        sqlite_where=text("current"),
    ),
    sqlite_autoincrement=True,
)

spend = Table(
    "spend",
    metadata,
    serial(),
    Column("at", BigInteger, nullable=False),
    Column("tier", Text, nullable=False),
    Column("annotator", Integer, ForeignKey("annotators.id")),
    Column("question", BigInteger),
    Column("item", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False, server_default="0"),
    Column("seconds", REAL, nullable=False, server_default="0"),
    Column("purpose", Text, nullable=False, server_default="settle"),
    Column("external", Text),
    Index(None, "question"),
    Index(None, "item"),
    Index(None, "external", unique=True),
    sqlite_autoincrement=True,
)

budgets = Table(
    "budgets",
    metadata,
    Column("tier", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("cap", BigInteger),
    Column("reserved", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("audits", BigInteger, nullable=False, server_default="0"),
    Column("learning", BigInteger, nullable=False, server_default="0"),
    Column("refused_at", BigInteger),
)

vectors = Table(
    "vectors",
    metadata,
    Column("item", Text, primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

duties = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

processes = Table(
    "processes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
