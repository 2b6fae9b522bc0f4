"""The outgoing ledger, audits by two experts, drift alarms, and items found by their subject."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUBJECT = sa.text("subject IS NOT NULL")


def upgrade() -> None:
    """Columns of windows first, then what is new."""
    _windows()
    _ledgers()
    _alarms()
    op.create_index("ix_items_subject", "items", ["subject"], postgresql_where=SUBJECT, sqlite_where=SUBJECT)


def _windows() -> None:
    op.add_column("windows", sa.Column("protocol", sa.Text(), server_default="single", nullable=False))
    op.add_column("windows", sa.Column("outgoing_p", sa.Double()))
    op.add_column("windows", sa.Column("outgoing_seed", sa.Text()))
    op.add_column("windows", sa.Column("outgoing", sa.LargeBinary()))
    op.add_column("windows", sa.Column("outgoing_deadline", sa.BigInteger()))
    op.add_column("windows", sa.Column("outgoing_open", sa.Integer()))
    op.add_column("windows", sa.Column("outgoing_wrong", sa.Integer()))


def _ledgers() -> None:
    op.create_table(
        "ledgers",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("after_window", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledgers"),
        sqlite_autoincrement=True,
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("size", sa.Double(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("bundle", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
        sqlite_autoincrement=True,
    )
