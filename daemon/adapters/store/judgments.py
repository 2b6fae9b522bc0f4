"""What judges of pairs said in both orders."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, judgments
from daemon.core.judge_rows import BothOrders, JudgeRecord
from labeling_functions.pairs import A, B

SAID = ("said_ab", "said_ba", "first_ab", "first_ba")


class JudgmentRoom:
    """`daemon.core.ask_judge.JudgmentBook` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, annotator: int, item: str, orders: BothOrders) -> None:
        """What it said about this pair; the last time counts."""
        said = dict(zip(SAID, (*orders.said, *orders.first), strict=True))
        row = {"annotator": annotator, "item": item, **said}
        with self._database.write() as connection:
            connection.execute(upsert(connection, judgments, ["annotator", "item"], SAID), row)


def judge_records(connection: Connection) -> Sequence[JudgeRecord]:
    """Every judge that was asked in both orders, by name, versions oldest first."""
    ab, ba = judgments.c.first_ab, judgments.c.first_ba
    took_first = and_(judgments.c.said_ab == A, judgments.c.said_ba == B)
    took_second = and_(judgments.c.said_ab == B, judgments.c.said_ba == A)
    query = (
        select(
            annotators.c.name,
            annotators.c.version,
            func.count().label("pairs"),
            _times(or_(took_first, took_second)).label("flips"),
            _times(took_first).label("first"),
            func.sum(ab * ba).label("firsts"),
            func.sum((1 - ab) * (1 - ba)).label("seconds"),
        )
        .join(annotators, annotators.c.id == judgments.c.annotator)
        .group_by(annotators.c.id, annotators.c.name, annotators.c.version)
        .order_by(annotators.c.name, annotators.c.id)
    )
    return [
        JudgeRecord(
            row.name,
            row.version,
            int(row.pairs),
            int(row.flips),
            int(row.first),
            float(row.firsts),
            float(row.seconds),
        )
        for row in connection.execute(query)
    ]


def _times(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))
