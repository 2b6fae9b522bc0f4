"""Tables of people with accounts; conventions as in `schema`. Secrets are kept as SHA-256 digests only."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from daemon.adapters.store.schema_base import metadata, serial

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("tiers", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="active"),
    Column("created", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""`key` is what names that look alike share; `tiers` is a JSON list."""

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text),
    Column("role", Text, nullable=False),
    Column("tiers", Text, nullable=False),
    Column("invited_by", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("closed", BigInteger),
    sqlite_autoincrement=True,
)
"""`closed` is when it was accepted or withdrawn."""

sessions = Table(
    "sessions",
    metadata,
    serial(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("account", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index(None, "account"),
    sqlite_autoincrement=True,
)
"""A row goes when its session ends."""

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("account", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("used", BigInteger),
    Column("revoked", BigInteger),
    Index(None, "account"),
    sqlite_autoincrement=True,
)

login_tries = Table(
    "login_tries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index(None, "at"),
)
"""Failures in a row, by name and by address, and until when the next try waits."""

audit_log = Table(
    "audit_log",
    metadata,
    serial(),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    sqlite_autoincrement=True,
)
