"""Control questions, known labels, and why somebody is paused."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Tables controls, truths; columns of annotators."""
    op.create_table(
        "controls",
        sa.Column("question", sa.BigInteger(), sa.ForeignKey("questions.id"), primary_key=True),
        sa.Column("annotator", sa.Integer(), sa.ForeignKey("annotators.id"), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("truth", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.LargeBinary()),
        sa.Column("seconds", sa.REAL(), nullable=False, server_default="0"),
        sa.Column("at", sa.BigInteger()),
    )
    op.create_index("ix_controls_annotator_at", "controls", ["annotator", "at"])
    op.create_index("ix_controls_item", "controls", ["item"])
    op.create_table(
        "truths",
        sa.Column("item", sa.Text(), primary_key=True),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.add_column("annotators", sa.Column("state_at", sa.BigInteger()))
    op.add_column("annotators", sa.Column("note", sa.Text()))
