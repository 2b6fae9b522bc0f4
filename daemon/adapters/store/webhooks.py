"""What is to be told to other programs: read with its facts, done with, tried again, given up."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, questions, windows
from daemon.adapters.store.schema_webhooks import deliveries, webhooks
from daemon.core.webhooks import ACCEPTED, ANSWERED, PAUSED, Delivery

WAITING, DEAD = "waiting", "dead"

KEPT_CHARACTERS = 500
"""Of what went wrong."""

Facts = dict[int, dict[str, object]]
"""By what they are about."""


class WebhookRoom:
    """`daemon.core.webhooks.WebhookStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subscribe(self, wanted: Mapping[str, Sequence[str]]) -> None:
        """Tell these programs of these events from now on; what waited for others is forgotten."""
        rows = [{"name": name, "events": f" {' '.join(events)} "} for name, events in sorted(wanted.items())]
        with self._database.write() as connection:
            connection.execute(delete(webhooks))
            if rows:
                connection.execute(insert(webhooks), rows)
            connection.execute(delete(deliveries).where(deliveries.c.webhook.not_in(list(wanted))))

    def due(self, limit: int, resting: Sequence[str] = ()) -> list[Delivery]:
        """What is to be told now, oldest first; nothing to those that rest."""
        with self._database.read() as connection:
            query = (
                select(deliveries)
                .where(
                    deliveries.c.state == WAITING,
                    deliveries.c.due <= self._database.now(connection),
                    deliveries.c.webhook.not_in(list(resting)),
                )
                .order_by(deliveries.c.due, deliveries.c.id)
                .limit(limit)
            )
            rows = connection.execute(query).all()
            known = {event: read(connection, _refs(rows, event)) for event, read in FACTS.items()}
        return [
            Delivery(row.id, row.uid, row.webhook, row.event, row.at, row.tries, known[row.event][row.ref])
            for row in rows
        ]

    def delivered(self, ids: Sequence[int]) -> None:
        """They have it: forgotten here."""
        with self._database.write() as connection:
            connection.execute(delete(deliveries).where(among(connection, deliveries.c.id, ids)))

    def failed(self, delivery: int, problem: str, wait: float | None) -> None:
        """Try again in so many seconds, or never (None)."""
        with self._database.write() as connection:
            due = self._database.now(connection) + round((wait or 0) * 1000)
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == delivery)
                .values(
                    tries=deliveries.c.tries + 1,
                    due=due,
                    state=DEAD if wait is None else WAITING,
                    problem=problem[:KEPT_CHARACTERS],
                )
            )

    def resend(self, webhook: str) -> int:
        """What was given up is told again, as if it were new; how many events."""
        with self._database.write() as connection:
            given_up = deliveries.c.webhook == webhook, deliveries.c.state == DEAD
            now = self._database.now(connection)
            again = update(deliveries).where(*given_up).values(state=WAITING, tries=0, due=now)
            return connection.execute(again).rowcount

    def last_problems(self) -> dict[str, str]:
        """Program -> why the newest event that did not arrive did not; those without one are missing."""
        newest = (
            select(func.max(deliveries.c.id))
            .where(deliveries.c.problem.is_not(None))
            .group_by(deliveries.c.webhook)
        )
        query = select(deliveries.c.webhook, deliveries.c.problem).where(deliveries.c.id.in_(newest))
        with self._database.read() as connection:
            return {row.webhook: row.problem for row in connection.execute(query)}

    def standing(self) -> dict[str, dict[str, int]]:
        """Program -> state (`waiting`, `dead`) -> events."""
        with self._database.read() as connection:
            return standing(connection)


def standing(connection: Connection) -> dict[str, dict[str, int]]:
    """Program -> state (`waiting`, `dead`) -> events; those with neither are missing."""
    query = select(deliveries.c.webhook, deliveries.c.state, func.count().label("n"))
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query.group_by(deliveries.c.webhook, deliveries.c.state)):
        found.setdefault(row.webhook, {})[row.state] = row.n
    return found


def _refs(rows: Sequence[Row[Any]], event: str) -> list[int]:
    return [row.ref for row in rows if row.event == event]


def _answered(connection: Connection, refs: Sequence[int]) -> Facts:
    query = (
        select(answers, annotators.c.name, annotators.c.kind, questions.c.tier)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .join(questions, questions.c.id == answers.c.question)
        .where(among(connection, answers.c.id, refs))
    )
    return {
        row.id: {
            "item": row.item,
            "question": row.question,
            "tier": row.tier,
            "purpose": row.purpose,
            "annotator": row.name,
            "kind": row.kind,
            "label": label_of(row.labels),
            "seconds": round(float(row.seconds), 3),
            "undone": row.retracted_at is not None,
        }
        for row in connection.execute(query)
    }


def _accepted(connection: Connection, refs: Sequence[int]) -> Facts:
    query = select(windows).where(among(connection, windows.c.id, refs))
    return {
        row.id: {
            "window": row.id,
            "items": row.n,
            "certified": row.certified,
            "threshold": row.tau,
            "alpha": row.alpha,
            "delta": row.delta,
        }
        for row in connection.execute(query)
    }


def _paused(connection: Connection, refs: Sequence[int]) -> Facts:
    query = select(annotators).where(among(connection, annotators.c.id, refs))
    return {
        row.id: {"reviewer": row.id, "annotator": row.name, "tier": row.tier, "note": row.note}
        for row in connection.execute(query)
    }


FACTS = {ANSWERED: _answered, ACCEPTED: _accepted, PAUSED: _paused}
"""Event -> what is told of it."""
