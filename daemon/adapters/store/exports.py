"""Current labels with their items and what they rest on, read a chunk at a time."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from daemon.adapters.store import annotating
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f4, i1, label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, items, labels, windows
from daemon.core.exporting import ExportedAnswer, LabeledItem, Provenance
from daemon.core.messages import Certificate
from daemon.core.states import LabelStatus

CHUNK = 500


class ExportRoom:
    """Reads of `labelloop export`."""

    def __init__(self, database: Database, chunk: int = CHUNK) -> None:
        """`chunk`: items that are read at once."""
        self._database = database
        self._chunk = chunk

    def labeled(self, statuses: Collection[LabelStatus]) -> Iterator[LabeledItem]:
        """Every item whose current label rests on one of these, by id.

        Each chunk is a transaction of its own, so that a long export holds nothing up: every item is there
        once, with its label of the moment when its chunk was read.
        """
        after: str | None = None
        while rows := self._after(after, statuses):
            yield from rows
            after = rows[-1].id

    def _after(self, after: str | None, statuses: Collection[LabelStatus]) -> list[LabeledItem]:
        query = (
            select(items.c.id, items.c.payload, items.c.inline, items.c.functions, labels, *_TERMS)
            .join(labels, and_(labels.c.item == items.c.id, labels.c.revision == items.c.revision))
            .join(windows, windows.c.id == labels.c.window, isouter=True)
            .where(labels.c.status.in_([status.value for status in statuses]))
            .order_by(items.c.id)
            .limit(self._chunk)
        )
        if after is not None:
            query = query.where(items.c.id > after)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            names = _names(connection, {row.functions for row in rows})
            given = _answers(connection, [row.id for row in rows])
        return [_labeled(row, names.get(row.functions, ()), given[row.id]) for row in rows]


_TERMS = (windows.c.alpha, windows.c.delta, windows.c.tau, windows.c.protocol)


def _names(connection: Connection, sets: Collection[int]) -> dict[int, list[str]]:
    """Names of the functions of each set that is known, in the order of its columns."""
    known = annotating.members(connection, list(sets))
    return {one: [function.name for function in annotating.functions_of(connection, one)] for one in known}


def _answers(connection: Connection, ids: Sequence[str]) -> dict[str, list[ExportedAnswer]]:
    query = (
        select(answers, annotators.c.name, annotators.c.kind, annotators.c.version, annotators.c.tier)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(among(connection, answers.c.item, ids), answers.c.retracted_at.is_(None))
        .order_by(answers.c.id)
    )
    found: dict[str, list[ExportedAnswer]] = {id_: [] for id_ in ids}
    for row in connection.execute(query):
        found[row.item].append(
            ExportedAnswer(
                annotator=row.name,
                kind=row.kind,
                version=row.version,
                tier=row.tier,
                purpose=row.purpose,
                label=label_of(row.labels),
                seconds=float(row.seconds),
                cost=row.cost,
                at=row.at,
            )
        )
    return found


def _labeled(row: Row[Any], names: Sequence[str], given: Sequence[ExportedAnswer]) -> LabeledItem:
    said = i1(row.inline).reshape(len(names), -1).tolist() if names else []
    certified = None
    if row.window is not None:
        certified = Certificate(row.alpha, row.delta, row.window, row.tau, row.protocol).as_json()
    return LabeledItem(
        id=row.id,
        payload=bytes(row.payload),
        label=label_of(row.labels),
        probabilities=tuple(f4(row.probabilities).astype(float).tolist()),
        status=LabelStatus(row.status),
        revision=row.revision,
        origin=Provenance(
            at=row.at,
            bundle=row.bundle,
            cost=row.cost,
            certificate=certified,
            answers=given,
            votes=list(zip(names, said, strict=True)),
        ),
    )
