"""Current labels with their items, read a chunk at a time."""

from collections.abc import Collection, Iterator

from sqlalchemy import Row, and_, select

from daemon.adapters.store.codec import f4, label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import items, labels
from daemon.core.exporting import LabeledItem
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
            yield from map(_labeled, rows)
            after = rows[-1].id

    def _after(self, after: str | None, statuses: Collection[LabelStatus]) -> "list[Row[tuple[object, ...]]]":
        query = (
            select(items.c.id, items.c.payload, items.c.revision, labels)
            .join(labels, and_(labels.c.item == items.c.id, labels.c.revision == items.c.revision))
            .where(labels.c.status.in_([status.value for status in statuses]))
            .order_by(items.c.id)
            .limit(self._chunk)
        )
        if after is not None:
            query = query.where(items.c.id > after)
        with self._database.read() as connection:
            return list(connection.execute(query))


def _labeled(row: "Row[tuple[object, ...]]") -> LabeledItem:
    return LabeledItem(
        id=row.id,
        payload=bytes(row.payload),
        label=label_of(row.labels),
        probabilities=tuple(f4(row.probabilities).astype(float).tolist()),
        status=LabelStatus(row.status),
        revision=row.revision,
    )
