"""What people answered, for figures of how far they agree."""

from collections.abc import Sequence

from sqlalchemy import select

from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers
from daemon.core.agreement_rows import GivenAnswer
from daemon.core.states import AnnotatorKind


class AnswerRoom:
    """`daemon.core.agreement_rows.AnswerStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Make one."""
        self._database = database

    def newest_answers(self, limit: int) -> Sequence[GivenAnswer]:
        """The newest standing answers of people, newest first; control questions are not among them."""
        query = (
            select(annotators.c.tier, annotators.c.name, answers.c.item, answers.c.labels, answers.c.at)
            .join(annotators, annotators.c.id == answers.c.annotator)
            .where(
                annotators.c.kind == AnnotatorKind.PERSON.value,
                annotators.c.tier.is_not(None),
                answers.c.retracted_at.is_(None),
            )
            .order_by(answers.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [GivenAnswer(row.tier, row.item, row.name, bytes(row.labels), row.at) for row in rows]
