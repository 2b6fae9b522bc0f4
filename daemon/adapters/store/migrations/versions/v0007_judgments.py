"""What judges of pairs said in both orders, for their position bias."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Table judgments."""
    op.create_table(
        "judgments",
        sa.Column("annotator", sa.Integer(), sa.ForeignKey("annotators.id"), primary_key=True),
        sa.Column("item", sa.Text(), primary_key=True),
        sa.Column("said_ab", sa.SmallInteger(), nullable=False),
        sa.Column("said_ba", sa.SmallInteger(), nullable=False),
        sa.Column("first_ab", sa.REAL(), nullable=False),
        sa.Column("first_ba", sa.REAL(), nullable=False),
    )
