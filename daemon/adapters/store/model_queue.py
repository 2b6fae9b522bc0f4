"""Questions that language models answer: leased and given back as those of people are, paid by their calls.

Locks are taken in the order of `questions`: the annotator, the question, then money.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, insert, select, update

from daemon.adapters.store import annotating, leasing, telling
from daemon.adapters.store.asking import recheck_items
from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.codec import label_bytes
from daemon.adapters.store.engine import Database
from daemon.adapters.store.leasing import LEASED, OPEN
from daemon.adapters.store.schema import annotators, answers, questions, skips
from daemon.core.call_rows import ModelVote
from daemon.core.errors import LeaseLost, UnknownReviewer
from daemon.core.pace import Left
from daemon.core.rows import Lease, Person
from daemon.core.states import AnnotatorKind, QuestionState


class ModelQueueRoom:
    """`daemon.core.ports.ModelQueue` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, n_facets: int = 1) -> None:
        """`n_facets`: bytes of a label: 1, or the number of classes of a multilabel task."""
        self._database = database
        self._n_facets = n_facets

    def enroll(self, name: str, version: str, tier: str) -> Person:
        """Register a model, or find it."""
        with self._database.write() as connection:
            (id_,) = annotating.register(connection, [(AnnotatorKind.LLM, name, version, tier)])
        return Person(id_, name, tier)

    def lease(
        self, annotator: int, tier: str, count: int, seconds: float, last: Sequence[int] = ()
    ) -> list[Lease]:
        """Up to `count` questions that this annotator neither answered nor passed on, best first.

        Those of `last` come after all others.

        Raises:
            UnknownReviewer: no model of this id is enrolled in this tier.
        """
        with self._database.write() as connection:
            _hold_model(connection, annotator, tier)
            now = self._database.now(connection)
            leasing.free_expired(connection, tier, now)
            taken = leasing.best_free(connection, tier, [annotator], count, Left(), last)
            return leasing.give(connection, taken, annotator, now + round(seconds * 1000))

    def extend(self, held: Sequence[Lease], seconds: float) -> None:
        """Hold what is still held under these leases, and no later ones, for so long from now."""
        with self._database.write() as connection:
            until = self._database.now(connection) + round(seconds * 1000)
            still = leasing.under([lease.key for lease in held])
            connection.execute(update(questions).where(*still).values(leased_until=until))

    def give_back(self, held: Sequence[Lease]) -> None:
        """Put what is still held under these leases, and no later ones, back into the queue."""
        with self._database.write() as connection:
            still = leasing.under([lease.key for lease in held])
            query = select(questions.c.id, questions.c.purpose).where(*still)
            leasing.free(connection, connection.execute(query.with_for_update()).all())

    def answer(self, question: int, annotator: int, vote: ModelVote) -> int:
        """Record and ask for a recheck; id of the answer. The first answer stands.

        Raises:
            LeaseLost: the question is not there for this annotator any more.
            UnknownReviewer: no model has this id.
        """
        with self._database.write() as connection:
            tier = _hold_model(connection, annotator)
            now = self._database.now(connection)
            row = leasing.lock_question(connection, question)
            known = leasing.standing(connection, row.item, [annotator])
            if known is not None and known.question == question:
                return int(known.id)
            if known is not None:
                raise LeaseLost(f"this model has answered item {row.item!r} already")
            _check_free(row, annotator, tier, now)
            said = label_bytes(vote.label, self._n_facets)
            answer = _record(connection, row, annotator, vote, said, now)
            _end(connection, row, QuestionState.ANSWERED, now)
            telling.answered(connection, answer, now)
            return answer

    def pass_on(self, question: int, annotator: int) -> None:
        """The annotator abstains: the question ends without an answer, and the item is routed anew.

        Said twice, it counts once.

        Raises:
            LeaseLost: the question is not there for this annotator any more.
            UnknownReviewer: no model has this id.
        """
        with self._database.write() as connection:
            tier = _hold_model(connection, annotator)
            now = self._database.now(connection)
            row = leasing.lock_question(connection, question)
            skipped = {"question": question, "annotator": annotator}
            if row.state == QuestionState.PASSED and _is_skipped(connection, **skipped):
                return
            _check_free(row, annotator, tier, now)
            connection.execute(upsert(connection, skips, ["question", "annotator"], []), skipped)
            _end(connection, row, QuestionState.PASSED, now)


def _hold_model(connection: Connection, annotator: int, tier: str | None = None) -> str:
    """Tier of a model, whose row is locked: it is given one question an item."""
    query = select(annotators.c.tier).where(
        annotators.c.id == annotator, annotators.c.kind == AnnotatorKind.LLM.value
    )
    found = connection.execute(query.with_for_update(key_share=True)).scalar_one_or_none()
    if found is None or tier not in (None, found):
        where = "" if tier is None else f" of tier {tier!r}"
        raise UnknownReviewer(f"annotator {annotator} is no language model{where}; enroll it first")
    return str(found)


def _is_skipped(connection: Connection, question: int, annotator: int) -> bool:
    query = select(skips.c.question).where(skips.c.question == question, skips.c.annotator == annotator)
    return connection.execute(query).scalar() is not None


def _check_free(row: Row[Any], annotator: int, tier: str, now: int) -> None:
    """Late answers count while nobody else holds the question and it is still wanted."""
    if row.state not in (OPEN, LEASED):
        raise LeaseLost(f"question {row.id} is {row.state} already")
    if row.state == LEASED and row.holder != annotator and row.leased_until > now:
        raise LeaseLost(f"question {row.id} went to somebody else when its lease had run out")
    if row.tier != tier or row.reserved_for not in (None, annotator):
        raise LeaseLost(f"question {row.id} is meant for somebody else")


def _record(
    connection: Connection, row: Row[Any], annotator: int, vote: ModelVote, labels: bytes, now: int
) -> int:
    likely = vote.probabilities
    query = insert(answers).values(
        item=row.item,
        annotator=annotator,
        question=row.id,
        purpose=row.purpose,
        labels=labels,
        probabilities=None if likely is None else np.array(likely, "<f4").tobytes(),
        seconds=vote.seconds,
        cost=vote.micros,
        trace=vote.trace,
        at=now,
    )
    return int(connection.execute(query.returning(answers.c.id)).scalar_one())


def _end(connection: Connection, row: Row[Any], state: QuestionState, now: int) -> None:
    leasing.change(connection, [row.id], state=state.value, holder=None, leased_until=None, closed=now)
    recheck_items(connection, [row.item], "answer")
