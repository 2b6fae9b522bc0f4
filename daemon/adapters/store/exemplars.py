"""What people answered, for prompts that show it."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, select

from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f2, label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.first_answers import first_answers
from daemon.adapters.store.schema import answers, items, vectors
from daemon.core.decoding import decode_stored
from labeling_functions.llm.exemplars import AnsweredItems, Exemplar, Vectors

MOST = 2_000
"""Answers to choose from; the oldest, so that the choice stays the same as more come in."""


class ExemplarRoom:
    """`daemon.core.ask_variant.AnsweredStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, tiers: Collection[str]) -> None:
        """`tiers`: whose answers are shown."""
        self._database = database
        self._tiers = tiers

    def answered(self, with_vectors: bool) -> AnsweredItems:
        """The oldest answers of final tiers; with vectors, only those of items that have one."""
        with self._database.read() as connection:
            found = connection.execute(self._answers()).all()
            stored = self._stored(connection, [row.item for row in found]) if with_vectors else {}
        rows = [row for row in found if row.item in stored] if with_vectors else found
        return AnsweredItems(
            tuple(_exemplar(row) for row in rows),
            np.stack([stored[row.item] for row in rows]) if stored else np.empty((len(rows), 0)),
        )

    def vectors(self, items: Sequence[str]) -> dict[str, Vectors]:
        """(d,) embeddings of length 1 of these items, where there are any."""
        with self._database.read() as connection:
            return self._stored(connection, items)

    def _stored(self, connection: Connection, ids: Sequence[str]) -> dict[str, Vectors]:
        """Vectors by the encoder of the newest item: those of different ones cannot be compared."""
        newest = (
            select(vectors.c.encoder)
            .join(items, items.c.id == vectors.c.item)
            .order_by(items.c.arrived.desc())
            .limit(1)
        )
        query = select(vectors.c.item, vectors.c.vector).where(
            among(connection, vectors.c.item, ids), vectors.c.encoder == newest.scalar_subquery()
        )
        return {item: _unit(f2(data).astype(np.float32)) for item, data in connection.execute(query)}

    def _answers(self) -> Select[Any]:
        first = first_answers(self._tiers).order_by("id").limit(MOST).subquery()
        return (
            select(answers.c.item, answers.c.labels, items.c.payload)
            .join(first, first.c.id == answers.c.id)
            .join(items, items.c.id == answers.c.item)
            .order_by(answers.c.id)
        )


def _exemplar(row: Row[Any]) -> Exemplar:
    return Exemplar(decode_stored(row.payload), label_of(row.labels))


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))
