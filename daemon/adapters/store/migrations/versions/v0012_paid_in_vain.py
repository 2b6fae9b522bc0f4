"""Answers from outside that are paid and not taken: each once."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Column spend.external."""
    op.add_column("spend", sa.Column("external", sa.Text()))
    op.create_index("ix_spend_external", "spend", ["external"], unique=True)
