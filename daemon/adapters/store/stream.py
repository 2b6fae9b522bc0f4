"""The stream's store: arrivals, what is decided about them, and what goes out."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from daemon.adapters.store import allowance, annotating, arrivals, asking, duties, outbox, rechecks
from daemon.adapters.store.bulk import add_counts, among, upsert
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import items, positions, processes
from daemon.core.rows import Arrivals, Compose, Decide, Decision, Duty, FunctionSet, FunctionVersion
from daemon.core.states import AnnotatorKind
from daemon.core.wire import LogStart, OutboxRow, Span


class StreamRoom:
    """`daemon.core.ports.StreamStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, caps: asking.Caps) -> None:
        """`caps`: tier -> micro-units that may be promised in a UTC day; None or absent: no limit."""
        self._database = database
        self._caps = caps

    def locate(self, starts: Sequence[LogStart]) -> list[int]:
        """Stored next offset of each partition; absent rows are made at `beginning`."""
        if not starts:
            return []
        new = [
            {
                "topic_id": start.topic_id,
                "partition": start.partition,
                "topic": start.topic,
                "next_offset": start.beginning,
            }
            for start in sorted(starts, key=lambda start: (start.topic_id, start.partition))
        ]
        with self._database.write() as connection:
            connection.execute(upsert(connection, positions, ["topic_id", "partition"], []), new)
            query = select(positions).where(positions.c.topic_id.in_({start.topic_id for start in starts}))
            found = {(row.topic_id, row.partition): int(row.next_offset) for row in connection.execute(query)}
        return [found[start.topic_id, start.partition] for start in starts]

    def register_functions(self, functions: Sequence[FunctionVersion]) -> FunctionSet:
        """Annotators for these versions, and the set that decodes their columns; one set for one list."""
        with self._database.write() as connection:
            return annotating.register_functions(connection, functions)

    def register_annotator(self, kind: AnnotatorKind, name: str, version: str, tier: str | None) -> int:
        """Id of an annotator, made if absent."""
        with self._database.write() as connection:
            return annotating.register(connection, [(kind, name, version, tier)])[0]

    def function_keys(self, functions: int) -> list[FunctionVersion]:
        """The functions of a set in the order of its columns; KeyError if there is no such set."""
        with self._database.read() as connection:
            return annotating.functions_of(connection, functions)

    def digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Content digests of those ids that are stored."""
        with self._database.glance() as connection:
            query = select(items.c.id, items.c.digest).where(among(connection, items.c.id, ids))
            return {row.id: bytes(row.digest) for row in connection.execute(query)}

    def save_batch(
        self,
        spans: Sequence[Span],
        new: Arrivals | None,
        decision: Decision | None,
        compose: Compose,
        counts: Mapping[str, int],
    ) -> None:
        """All of a batch or nothing: positions, items, vectors, questions, labels, outbox, counters.

        Raises:
            FenceLost: a position is not what a span says.
            ItemsRaced: an id was stored meanwhile.
        """
        with self._database.write() as connection:
            arrivals.move_positions(connection, spans, new)
            asked, came = [], {}
            if new is not None and decision is not None and len(new.ids):
                now = self._database.now(connection)
                arrivals.insert_items(connection, new, decision, now)
                asked = asking.ask(connection, new.ids, decision.asks, self._caps, now)
                came = allowance.arrivals(len(new.ids), now)
            outbox.put(connection, compose(asked))
            # Last, since the counter of the day's items is one row for all workers.
            add_counts(connection, {**counts, **came})

    def spent_tiers(self, prices: Mapping[str, int]) -> frozenset[str]:
        """Those of these tiers whose budget of today cannot pay another answer at this price (millionths)."""
        with self._database.read() as connection:
            return allowance.spent_tiers(connection, self._caps, prices, self._database.now(connection))

    def look_elsewhere(self, tier: str) -> None:
        """Have all items routed anew that wait for this tier; not those that somebody is answering."""
        with self._database.write() as connection:
            rechecks.of_tier(connection, tier, self._database.now(connection))

    def work_rechecks(self, limit: int, decide: Decide, answers_alone: bool = False) -> int:
        """Take up to `limit` due rechecks, lock their items, decide, save. Number of items decided.

        Frozen items are left alone. A recheck of an item that is not there is tried once more a minute later.
        With `answers_alone` only those are taken that are due since ever, as after an answer.
        """
        if not self._any_due(answers_alone):
            return 0
        with self._database.write() as connection:
            now = self._database.now(connection)
            return rechecks.work(connection, limit, decide, self._caps, now, 0 if answers_alone else now)

    def _any_due(self, answers_alone: bool) -> bool:
        """Looked at many times a second: SQLite's one write lock must not be taken each time."""
        with self._database.glance() as connection:
            first = connection.execute(rechecks.first_due(self._database.clock(connection))).first()
        return first is not None and first.due <= (0 if answers_alone else first.now)

    def take_duty(self, name: str, holder: str, seconds: float) -> Duty | None:
        """Hold or renew a duty for `seconds`; None while somebody else holds it."""
        with self._database.write() as connection:
            return duties.take(connection, name, holder, seconds, self._database.now(connection))

    def drop_duty(self, duty: Duty) -> None:
        """Give a duty back early."""
        with self._database.write() as connection:
            duties.drop(connection, duty)

    def outbox(self, limit: int) -> list[OutboxRow]:
        """Oldest rows first."""
        with self._database.glance() as connection:
            return outbox.oldest(connection, limit)

    def published(self, duty: Duty, seqs: Sequence[int]) -> None:
        """Delete rows that were acknowledged; raises DutyLost."""
        with self._database.write() as connection:
            duties.check(connection, duty)
            outbox.remove(connection, seqs)

    def report(self, name: str, kind: str, report: Mapping[str, object]) -> None:
        """Say how a process is doing."""
        with self._database.write() as connection:
            row = {
                "name": name,
                "kind": kind,
                "at": self._database.now(connection),
                "report": json.dumps(report),
            }
            connection.execute(upsert(connection, processes, ["name"], ["kind", "at", "report"]), row)
