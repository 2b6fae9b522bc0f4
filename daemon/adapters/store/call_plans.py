"""What calls of a tier's annotators took so far, and how often they were right."""

from sqlalchemy import case, func, select

from daemon.adapters.store.codec import label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.first_answers import first_labels
from daemon.adapters.store.schema import annotators, answers, calls, items
from daemon.core.call_plan import Judged, Seen
from daemon.core.states import RANDOM_PURPOSES, AnnotatorKind, CallState

Annotator = tuple[str, str]
"""Name and version of a way of asking."""


class CallPlanRoom:
    """Reads of one command, each a transaction of its own."""

    def __init__(self, database: Database, final_tiers: frozenset[str]) -> None:
        """`final_tiers`: those whose people are right."""
        self._database = database
        self._final = final_tiers

    def seen(self, tier: str) -> dict[Annotator, Seen]:
        """Paid calls of each annotator; those that the cache answered, or nobody knows of, tell nothing."""
        summed = (calls.c.tokens_in, calls.c.tokens_out, calls.c.seconds)
        sums = (func.count(), *(func.sum(column) for column in summed))
        query = (
            select(annotators.c.name, annotators.c.version, *sums)
            .join(annotators, annotators.c.id == calls.c.annotator)
            .where(calls.c.tier == tier, calls.c.state == CallState.SPENT.value, calls.c.cached.is_(False))
            .group_by(annotators.c.name, annotators.c.version)
        )
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return {
            (name, version): Seen(int(count), int(tokens_in), int(tokens_out), float(seconds))
            for name, version, count, tokens_in, tokens_out, seconds in found
        }

    def judged(self, tier: str) -> dict[Annotator, Judged]:
        """Answers of each annotator on items that chance picked for an expert's blind answer."""
        truth = first_labels(self._final, RANDOM_PURPOSES)
        query = (
            select(
                annotators.c.name,
                annotators.c.version,
                func.count(),
                func.sum(case((answers.c.labels == truth.c.labels, 1), else_=0)),
            )
            .join(annotators, annotators.c.id == answers.c.annotator)
            .join(truth, truth.c.item == answers.c.item)
            .where(
                annotators.c.tier == tier,
                annotators.c.kind == AnnotatorKind.LLM.value,
                answers.c.retracted_at.is_(None),
            )
            .group_by(annotators.c.name, annotators.c.version)
        )
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return {(name, version): Judged(int(count), int(right)) for name, version, count, right in found}

    def answered(self, count: int) -> list[tuple[bytes, int]]:
        """Payload and label of so many items that experts answered blind, the newest answers first."""
        truth = first_labels(self._final, RANDOM_PURPOSES)
        query = select(items.c.payload, truth.c.labels).join(truth, truth.c.item == items.c.id)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(truth.c.id.desc()).limit(count)).all()
        return [(bytes(row.payload), label_of(row.labels)) for row in found]
