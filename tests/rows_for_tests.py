"""Rows written straight into the tables, where a test needs a state that only another room makes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, insert, select

from daemon.adapters.store import budget
from daemon.adapters.store.codec import label_bytes
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, items, questions, recheck


def add_items(database: Database, ids: Sequence[str], **changes: Any) -> None:
    """Items of two classes that wait for an answer; `changes` replace columns of all of them."""
    row = {
        "topic_id": "topic",
        "partition": 0,
        "offset": 0,
        "payload": b'{"text": "hello"}',
        "digest": bytes(16),
        "functions": 1,
        "inline": np.array([1, -1, 0], np.int8).tobytes(),
        "posterior": np.array([0.3, 0.7], np.float32).tobytes(),
        "labels": np.array([1], np.int8).tobytes(),
        "score": 0.7,
        "state": "asking",
        "revision": 1,
    }
    with database.write() as connection:
        now = database.now(connection)
        rows = [{"id": id_, **row, "arrived": now, "changed": now, **changes} for id_ in ids]
        connection.execute(insert(items), rows)


def add_annotator(database: Database, name: str, tier: str | None = "expert", kind: str = "person") -> int:
    """Id of a new annotator."""
    with database.write() as connection:
        row = insert(annotators).values(kind=kind, name=name, version="", tier=tier)
        return int(connection.execute(row.returning(annotators.c.id)).scalar_one())


def add_question(
    database: Database,
    item: str,
    tier: str = "expert",
    purpose: str = "settle",
    price: int = 0,
    **changes: Any,
) -> int:
    """Id of a new question, open or as `changes` say; its price is reserved if it is an audit or leased."""
    with database.write() as connection:
        now = database.now(connection)
        row = {
            "item": item,
            "tier": tier,
            "purpose": purpose,
            "price": price,
            "priority": 0.0,
            "created": now,
        }
        query = insert(questions).values({**row, **changes}).returning(questions.c.id)
        question = int(connection.execute(query).scalar_one())
        booking = budget.Booking(question, item, tier, purpose, price)
        if purpose in budget.PAID_WHEN_MADE:
            budget.reserve(connection, tier, price, 1, None, budget.day(now))
            budget.book(connection, [booking], now)
        elif changes.get("state") == "leased":
            budget.reserve_leased(connection, tier, [booking], now)
        return question


def add_answer(
    database: Database,
    item: str,
    annotator: int,
    label: int,
    question: int | None = None,
    purpose: str = "settle",
    n_facets: int = 1,
) -> int:
    """An answer with its recheck, its question closed and paid; id of the answer."""
    with database.write() as connection:
        now = database.now(connection)
        paid = 0
        if question is not None:
            asked = connection.execute(select(questions).where(questions.c.id == question)).one()
            booking = budget.Booking(question, item, asked.tier, asked.purpose, asked.price)
            paid = budget.pay(connection, booking, annotator, 1.0, now)
            _close(connection, question, now)
        row = insert(answers).values(
            item=item,
            annotator=annotator,
            question=question,
            purpose=purpose,
            labels=label_bytes(label, n_facets),
            cost=paid,
            at=now,
        )
        connection.execute(insert(recheck).values(item=item, reason="answer", due=0))
        return int(connection.execute(row.returning(answers.c.id)).scalar_one())


def count(database: Database, table: Any, *where: Any) -> int:
    """Rows of a table."""
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def all_rows(database: Database, table: Any, *where: Any) -> list[Any]:
    """Rows of a table in the order of its key."""
    with database.read() as connection:
        return list(connection.execute(select(table).where(*where).order_by(*table.primary_key)).all())


def _close(connection: Connection, question: int, now: int) -> None:
    connection.execute(
        questions.update().where(questions.c.id == question).values(state="answered", closed=now)
    )
