"""Windows whose coins fall where they help, and the probability with which each audited item was picked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """What is empty in older rows: one probability for all items, and the first form of the test."""
    op.add_column("windows", sa.Column("rest", sa.Double()))
    op.add_column("windows", sa.Column("limits", sa.LargeBinary()))
    op.add_column("questions", sa.Column("chance", sa.Double()))
