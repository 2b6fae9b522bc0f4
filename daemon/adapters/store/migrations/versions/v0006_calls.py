"""Calls to language models, each reserved before it is made, and the answers that were paid for already."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RESERVED = sa.text("state = 'reserved'")


def upgrade() -> None:
    """Tables calls and chat_cache; when a budget last refused a call."""
    op.add_column("budgets", sa.Column("refused_at", sa.BigInteger()))
    op.create_table(
        "calls",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Integer(), sa.ForeignKey("annotators.id")),
        sa.Column("question", sa.BigInteger()),
        sa.Column("item", sa.Text()),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seconds", sa.REAL(), server_default="0", nullable=False),
        sa.Column("cached", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("trace", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "calls", ["item"])
    op.create_index(None, "calls", ["tier"])
    op.create_index(
        "ix_calls_reserved", "calls", ["deadline"], postgresql_where=RESERVED, sqlite_where=RESERVED
    )
    op.create_table(
        "chat_cache",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
