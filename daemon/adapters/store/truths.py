"""Known labels, edited by those who lead reviewers."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select

from daemon.adapters.store import audit_log
from daemon.adapters.store.bulk import among, upsert
from daemon.adapters.store.codec import label_bytes, label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import items, truths
from daemon.core.account_rows import Actor
from daemon.core.truth_ports import KnownLabel


class TruthRoom:
    """`daemon.core.truth_ports.TruthStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, n_facets: int = 1) -> None:
        """`n_facets`: bytes of a label: 1, or the number of classes of a multilabel task."""
        self._database = database
        self._n_facets = n_facets

    def known_labels(self, limit: int) -> Sequence[KnownLabel]:
        """The newest."""
        query = (
            select(truths, items.c.payload)
            .outerjoin(items, items.c.id == truths.c.item)
            .order_by(truths.c.at.desc(), truths.c.item)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            KnownLabel(
                item=row.item,
                label=label_of(row.labels),
                source=row.source,
                at=row.at,
                payload=None if row.payload is None else bytes(row.payload),
            )
            for row in rows
        ]

    def vouch(self, item: str, label: int, by: Actor) -> None:
        """Have this be the item's known label, whatever it was before; the item may still have to come."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            row = {
                "item": item,
                "labels": label_bytes(label, self._n_facets),
                "source": by.name,
                "at": now,
            }
            connection.execute(upsert(connection, truths, ["item"], ["labels", "source", "at"]), row)
            audit_log.write(connection, now, by, "label vouched for", item)

    def vouch_all(self, known: Mapping[str, int], by: Actor, source: str) -> int:
        """`vouch` for all of these items or none; how many of them are there by now.

        Args:
            known: item -> label. source: of the file, for the audit log, where this is one line.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            rows = [
                {"item": item, "labels": label_bytes(label, self._n_facets), "source": by.name, "at": now}
                for item, label in sorted(known.items())
            ]
            if not rows:
                return 0
            connection.execute(upsert(connection, truths, ["item"], ["labels", "source", "at"]), rows)
            audit_log.write(connection, now, by, "labels vouched for", source, f"{len(rows)} items")
            there = select(func.count()).where(among(connection, items.c.id, known))
            return int(connection.execute(there).scalar_one())

    def forget(self, item: str, by: Actor) -> bool:
        """Vouch for it no longer; False if nobody did."""
        with self._database.write() as connection:
            gone = connection.execute(delete(truths).where(truths.c.item == item)).rowcount > 0
            if gone:
                audit_log.write(connection, self._database.now(connection), by, "label no longer known", item)
        return gone
