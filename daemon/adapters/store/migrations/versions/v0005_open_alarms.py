"""One open drift alarm a signal, how often it was raised, at which item, and which bundle ended it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Columns of alarms."""
    op.add_column("alarms", sa.Column("last_at", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("alarms", sa.Column("times", sa.Integer(), server_default="1", nullable=False))
    op.add_column("alarms", sa.Column("items", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("alarms", sa.Column("ended_by", sa.BigInteger()))
    op.create_index(
        "uq_alarms_open", "alarms", ["signal"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN
    )
