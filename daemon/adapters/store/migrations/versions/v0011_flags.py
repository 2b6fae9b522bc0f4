"""Items that somebody wants to go up a tier."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Table flags."""
    op.create_table(
        "flags",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("question", sa.BigInteger(), sa.ForeignKey("questions.id"), nullable=False),
        sa.Column("annotator", sa.Integer(), sa.ForeignKey("annotators.id"), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("question", "annotator"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_flags_item", "flags", ["item"])
