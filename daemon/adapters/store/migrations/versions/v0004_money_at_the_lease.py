"""Money says what it serves; questions that wait in a queue hold none."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SPEND = sa.table(
    "spend",
    *(sa.column(name) for name in ("id", "at", "tier", "question", "state", "micros", "purpose")),
)
QUESTIONS = sa.table("questions", *(sa.column(name) for name in ("id", "purpose", "state")))
BUDGETS = sa.table("budgets", *(sa.column(name) for name in ("tier", "period", "reserved")))
BLIND = ("audit", "gold", "outgoing")


def upgrade() -> None:
    """New columns, then what is stored already."""
    op.add_column("spend", sa.Column("purpose", sa.Text(), server_default="settle", nullable=False))
    op.add_column("budgets", sa.Column("audits", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("budgets", sa.Column("learning", sa.BigInteger(), server_default="0", nullable=False))
    asked = sa.select(QUESTIONS.c.purpose).where(QUESTIONS.c.id == SPEND.c.question).scalar_subquery()
    op.execute(sa.update(SPEND).where(SPEND.c.question.in_(sa.select(QUESTIONS.c.id))).values(purpose=asked))
    _release_what_waits()


def _release_what_waits() -> None:
    """What was reserved for open questions that are paid for at their lease from now on."""
    waiting = sa.select(QUESTIONS.c.id).where(QUESTIONS.c.state == "open", QUESTIONS.c.purpose.not_in(BLIND))
    which = sa.and_(SPEND.c.state == "reserved", SPEND.c.question.in_(waiting))
    connection = op.get_bind()
    released = connection.execute(sa.select(SPEND.c.tier, SPEND.c.at, SPEND.c.micros).where(which)).all()
    op.execute(sa.update(SPEND).where(which).values(state="released"))
    for row in released:
        period = datetime.fromtimestamp(row.at / 1000, UTC).date().isoformat()
        op.execute(
            sa.update(BUDGETS)
            .where(BUDGETS.c.tier == row.tier, BUDGETS.c.period == period)
            .values(reserved=BUDGETS.c.reserved - row.micros)
        )
