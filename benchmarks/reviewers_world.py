"""A queue for simulated reviewers, on PostgreSQL: items, their questions, and items whose label is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import insert

from benchmarks.past_the_program import query
from daemon.adapters.store import asking
from daemon.adapters.store.codec import label_bytes
from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, items
from daemon.core.rows import Ask
from daemon.core.states import Purpose

CLASSES = ("billing", "delivery", "returns", "account", "other")
PRICE = 0.05
OVERLAP = 3
LEASE_SECONDS = 5
KNOWN = 300
"""Items whose label an expert told before: what control questions are made of."""

_EMPTY = {
    "topic_id": "topic",
    "partition": 0,
    "offset": 0,
    "digest": bytes(16),
    "functions": 1,
    "inline": np.array([-1], np.int8).tobytes(),
    "posterior": np.full(len(CLASSES), 1 / len(CLASSES), np.float32).tobytes(),
    "labels": bytes(1),
    "score": 1 / len(CLASSES),
    "state": "asking",
    "revision": 1,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the database holds when the queue is empty; every count but the first three should be 0.

    Attributes:
        answered: slots that have an answer. controls: answers to control questions.
        right: share of items whose majority is right.
        empty: slots without an answer. twice: with more than one standing answer.
        again: items that somebody answered twice, in control questions and others together.
        unpaid: answers, of both sorts, that were not paid exactly once at the price.
        reserved: micro-units that are still reserved, in the tier's budget.
        off: micro-units by which what the budget says to be spent differs from the answers' prices.
    """

    answered: int
    controls: int
    right: float
    empty: int
    twice: int
    again: int
    unpaid: int
    reserved: int
    off: int


def truth(item: str) -> int:
    """The class of an item, which its id tells."""
    return int(item.rpartition("-")[2]) % len(CLASSES)


def configuration(url: str, slower: float = 1.0) -> dict[str, Any]:
    """Configuration of `labelloop review` for this queue; leases last so many times longer."""
    controls = {"share": 0.05, "onboarding": 12, "pause_below": 0.6, "pause_after": 10}
    crowd = {
        "price": PRICE,
        "overlap": OVERLAP,
        "lease_seconds": round(LEASE_SECONDS * slower),
        "controls": controls,
    }
    return {
        "task": {"name": "forty", "classes": list(CLASSES)},
        "functions": {"modules": []},
        "encoder": None,
        "tiers": {"crowd": crowd, "expert": {"price": 0.6, "final": True}},
        "database": {"url": url},
        "state": "state",
    }


def seed(url: str, n_items: int) -> None:
    """Fill a migrated, empty database: `OVERLAP` questions an item, and `KNOWN` items that are known."""
    waiting = [f"item-{number}" for number in range(n_items)]
    known = [f"known-{number}" for number in range(KNOWN)]
    database = Database(url)
    try:
        ann = QuestionRoom(database).enroll("ann", "expert").id
        with database.write() as connection:
            now = database.now(connection)
            connection.execute(insert(items), [_item(id_, now) for id_ in (*waiting, *known)])
            connection.execute(insert(answers), [_told(id_, ann, now) for id_ in known])
            asking.ask(connection, waiting, _asks(n_items), {}, now)
    finally:
        database.close()


def _asks(n_items: int) -> Sequence[Ask]:
    rows = (row for row in range(n_items) for _ in range(OVERLAP))
    return [Ask(row, "crowd", Purpose.SETTLE, -float(row % 97), round(PRICE * 1e6)) for row in rows]


def _item(id_: str, now: int) -> dict[str, Any]:
    payload = f'{{"id": "{id_}", "text": "message {id_}"}}'.encode()
    return {**_EMPTY, "id": id_, "payload": payload, "arrived": now, "changed": now}


def _told(id_: str, annotator: int, now: int) -> dict[str, Any]:
    said = label_bytes(truth(id_), 1)
    return {"item": id_, "annotator": annotator, "purpose": "gold", "labels": said, "at": now}


def waiting(url: str) -> int:
    """Slots that have no answer yet."""
    return int(
        query(url, "SELECT count(*) FROM questions WHERE purpose = 'settle' AND state <> 'answered'")[0][0]
    )


def outcome(url: str) -> Outcome:
    """Look at what is there, past the program."""

    def number(sql: str) -> int:
        return int(query(url, sql)[0][0] or 0)

    price = round(PRICE * 1e6)
    said = query(url, "SELECT item, labels FROM answers WHERE question IS NOT NULL AND retracted_at IS NULL")
    answered = number("SELECT count(*) FROM questions WHERE purpose = 'settle' AND state = 'answered'")
    n_controls = number("SELECT count(*) FROM controls WHERE labels IS NOT NULL")
    return Outcome(
        answered=answered,
        controls=n_controls,
        right=_majority([(item, bytes(labels)[0]) for item, labels in said]),
        empty=waiting(url),
        twice=number(f"SELECT count(*) FROM ({_STANDING} HAVING count(a.id) <> 1) AS odd"),
        again=number(_AGAIN),
        unpaid=number(_UNPAID.format(price=price)),
        reserved=number("SELECT sum(reserved) FROM budgets WHERE tier = 'crowd'"),
        off=number("SELECT sum(spent) FROM budgets WHERE tier = 'crowd'") - price * (answered + n_controls),
    )


_STANDING = """
    SELECT q.id FROM questions q
    LEFT JOIN answers a ON a.question = q.id AND a.retracted_at IS NULL
    WHERE q.purpose = 'settle' AND q.state = 'answered' GROUP BY q.id
"""

_AGAIN = """
    SELECT count(*) FROM (
        SELECT item, annotator FROM (
            SELECT item, annotator FROM answers WHERE retracted_at IS NULL
            UNION ALL SELECT item, annotator FROM controls
        ) AS given GROUP BY item, annotator HAVING count(*) > 1
    ) AS odd
"""

_UNPAID = """
    SELECT count(*) FROM (
        SELECT g.question FROM (
            SELECT question FROM answers WHERE question IS NOT NULL AND retracted_at IS NULL
            UNION ALL SELECT question FROM controls WHERE labels IS NOT NULL
        ) AS g LEFT JOIN spend s ON s.question = g.question AND s.state = 'spent'
        GROUP BY g.question HAVING count(s.id) <> 1 OR sum(s.micros) <> {price}
    ) AS odd
"""


def _majority(said: Sequence[tuple[str, int]]) -> float:
    """Share of the items whose most frequent answer is right; a tie counts as wrong."""
    votes: dict[str, list[int]] = {}
    for item, label in said:
        votes.setdefault(item, [0] * len(CLASSES))[label] += 1
    right = [2 * counts[truth(item)] > sum(counts) for item, counts in votes.items()]
    return sum(right) / max(len(right), 1)
