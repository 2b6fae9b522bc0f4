"""What a replay compares with, bundles and stored items as they are decided now; and its votes, published."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from daemon.adapters.store import annotating, revoting
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import bundle_of
from daemon.adapters.store.schema import annotators, answers, bundles, items
from daemon.core.label_diff import StoredLabel
from daemon.core.learning_rows import StoredBundle
from daemon.core.replaying import StoredStretch
from daemon.core.revoting import NewVotes, Revoted
from daemon.core.rows import FunctionVersion
from daemon.core.states import AnnotatorKind, ItemState


class ReplayRoom:
    """Reads of `labelloop replay`, and what it writes when it publishes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bundle(self, id_: int | None) -> StoredBundle | None:
        """A bundle by its id, or the current one; None if there is no such bundle."""
        query = select(bundles).where(bundles.c.current if id_ is None else bundles.c.id == id_)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else bundle_of(row)

    def stored(self, ids: Sequence[str]) -> dict[str, StoredLabel]:
        """Those of these items that are stored, by id, all as they are at one moment."""
        query = select(
            items.c.id, items.c.digest, items.c.labels, items.c.score, items.c.state, items.c.subject
        )
        with self._database.read() as connection:
            rows = connection.execute(query.where(among(connection, items.c.id, ids))).all()
            kinds = _answered(connection, [row.id for row in rows])
            shared = _shared(connection, {row.subject for row in rows if row.subject is not None})
        return {
            row.id: StoredLabel(
                digest=bytes(row.digest),
                label=label_of(row.labels),
                score=row.score,
                state=ItemState(row.state),
                by_people=bool(kinds.get(row.id, set()) - {AnnotatorKind.LLM.value}),
                by_models=AnnotatorKind.LLM.value in kinds.get(row.id, set()),
                shared=row.subject in shared,
            )
            for row in rows
        }

    def stretches(self, most: int) -> list[StoredStretch]:
        """All stored items in stretches of `most`, oldest first; more where more came in one millisecond."""
        when, count = items.c.arrived, func.count()
        with self._database.read() as connection:
            now = self._database.now(connection)
            query = select(when, count).where(when < now).group_by(when).order_by(when)
            return list(_stretches(connection.execute(query), most))

    def payloads(self, stretch: StoredStretch) -> list[bytes]:
        """What the items of a stretch came as, in the order of their coming and their ids."""
        within = (items.c.arrived >= stretch.start) & (items.c.arrived < stretch.end)
        query = select(items.c.payload).where(within).order_by(items.c.arrived, items.c.id)
        with self._database.read() as connection:
            return [bytes(payload) for payload in connection.execute(query).scalars()]

    def revote(self, functions: Sequence[FunctionVersion], found: NewVotes) -> Revoted:
        """Replace the votes of stored items by what these functions say, and have them decided anew.

        Of an item that came twice the last counts. All or nothing.
        """
        with self._database.write() as connection:
            by = annotating.register_functions(connection, functions).id
            return revoting.revote(connection, by, found, self._database.now(connection))


def _stretches(came: Iterable[Row[int, int]], most: int) -> Iterator[StoredStretch]:
    """Milliseconds and how many items came in each, joined."""
    start, end, count = 0, 0, 0
    for at, more in came:
        if count and count + more > most:
            yield StoredStretch(start, end, count)
            start, count = end, 0
        end, count = at + 1, count + more
    if count:
        yield StoredStretch(start, end, count)


def _answered(connection: Connection, ids: Sequence[str]) -> dict[str, set[str]]:
    """Kinds of annotators whose answers stand, by item."""
    query = (
        select(answers.c.item, annotators.c.kind)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(among(connection, answers.c.item, ids), answers.c.retracted_at.is_(None))
    )
    found: dict[str, set[str]] = {}
    for item, kind in connection.execute(query):
        found.setdefault(item, set()).add(kind)
    return found


def _shared(connection: Connection, subjects: set[Any]) -> set[Any]:
    """Those of these subjects that several items show."""
    if not subjects:
        return set()
    query = (
        select(items.c.subject)
        .where(among(connection, items.c.subject, subjects))
        .group_by(items.c.subject)
        .having(func.count() > 1)
    )
    return set(connection.execute(query).scalars())
