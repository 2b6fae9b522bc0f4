"""Calls to language models: reserved before they are made, settled when their price is known.

A call counts in three rows of `budgets`: its tier's and its endpoint's of the day, and its run's. They are
locked until the transaction ends, in the order that all money is locked in. So one cap of a tier holds for
calls and for whatever else the tier pays.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from daemon.adapters.store import budget, in_flight, leasing
from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import budgets, calls, chat_cache, questions
from daemon.core.call_rows import Call, CallBill, CallCaps
from daemon.core.errors import LeaseLost
from daemon.core.states import CallState, Purpose

RESERVED, LOST = CallState.RESERVED.value, CallState.LOST.value

ENDPOINT, RUN = "endpoint:", "run:"
"""Names in `budgets` that are no tiers begin so; no tier's name has a colon."""

EVER = "ever"
"""Period of a run's row: its cap holds however long it takes."""

EXPIRED_AT_ONCE = 1_000

NOTHING = (0, 0, 0)

Book = tuple[str, str]
"""Key of a row of `budgets`: name, period."""


class CallRoom:
    """`daemon.core.ports.CallLedger` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, caps: CallCaps) -> None:
        """`caps`: what calls may cost."""
        self._database = database
        self._caps = caps

    def reserve(self, call: Call) -> int | None:
        """Id of a ledger line that holds the call's longest price; None: a cap does not reach so far.

        Raises:
            LeaseLost: a question is not held any more under the lease that the call is made under.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            books = _books(call.tier, call.endpoint, call.run, now)
            budget.hold(connection, books)
            if not self._within_caps(connection, call, books, NOTHING):
                coming_back = in_flight.of_books(connection, call.tier, call.endpoint, call.run, now)
                if not self._within_caps(connection, call, books, coming_back):
                    _note_refusal(connection, books[0], now)
                return None
            _note_refusal(connection, books[0], None)
            for name, period in books:
                budget.add(connection, name, period, Purpose.SETTLE, reserved=call.micros)
            line = _write(connection, call, now, state=RESERVED)
            _check_held(connection, call, self._database.clock(connection))
            return line

    def settle(self, call: int, bill: CallBill) -> None:
        """The answer is there: what it did not use is given back. Also for one that was lost meanwhile."""
        known = {
            "tokens_in": bill.tokens_in,
            "tokens_out": bill.tokens_out,
            "seconds": bill.seconds,
        }
        self._close(call, CallState.SPENT, bill.micros, **known)

    def release(self, call: int) -> None:
        """The call was certainly not made: all of it is given back."""
        self._close(call, CallState.RELEASED, 0)

    def lost(self, call: int) -> None:
        """Nobody knows whether the call was made: it counts as spent."""
        self._close(call, CallState.LOST, None)

    def hit(self, call: Call, bill: CallBill) -> int:
        """A line of price 0 for an answer that the cache had; its id."""
        with self._database.write() as connection:
            return _write(
                connection,
                call,
                self._database.now(connection),
                state=CallState.SPENT.value,
                reserved=0,
                tokens_in=bill.tokens_in,
                tokens_out=bill.tokens_out,
                cached=True,
            )

    def expire(self) -> int:
        """Calls still reserved past their deadline are lost; how many."""
        gone = 0
        while found := self._expire_some():
            gone += found
        return gone

    def _expire_some(self) -> int:
        with self._database.write() as connection:
            now = self._database.now(connection)
            due = (
                select(calls)
                .where(calls.c.state == RESERVED, calls.c.deadline <= now)
                .order_by(calls.c.id)
                .limit(EXPIRED_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(due).all()
            if rows:
                lost = update(calls).where(calls.c.id.in_([row.id for row in rows]))
                connection.execute(lost.values(state=LOST, micros=calls.c.reserved))
                _move(connection, [(row, row.reserved) for row in rows])
            return len(rows)

    def _close(self, call: int, state: CallState, micros: int | None, **known: Any) -> None:
        """End a call that is reserved, or lost; one that ended otherwise stays as it is."""
        with self._database.write() as connection:
            row = connection.execute(select(calls).where(calls.c.id == call).with_for_update()).one()
            if row.state not in (RESERVED, LOST):
                return
            price = row.reserved if micros is None else micros
            closed = update(calls).where(calls.c.id == call)
            connection.execute(closed.values(state=state.value, micros=price, **known))
            _move(connection, [(row, price)])

    def _within_caps(
        self, connection: Connection, call: Call, books: tuple[Book, ...], coming_back: tuple[int, ...]
    ) -> bool:
        """Whether every cap reaches for the call, were so much of what each book holds given back."""
        caps = (
            self._caps.tiers.get(call.tier),
            self._caps.endpoints.get(call.endpoint),
            self._caps.run,
        )
        return all(
            cap is None or call.micros <= 0 or _used(connection, book) - back + call.micros <= cap
            for book, cap, back in zip(books, caps, coming_back, strict=True)
        )


class ReplyRoom:
    """`daemon.core.ports.ReplyCache` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> bytes | None:
        """What is kept under this key."""
        with self._database.read() as connection:
            found = connection.execute(select(chat_cache.c.reply).where(chat_cache.c.key == key)).scalar()
        return None if found is None else bytes(found)

    def put(self, key: str, reply: bytes) -> None:
        """Keep it, instead of what is there."""
        with self._database.write() as connection:
            row = {"key": key, "reply": reply, "at": self._database.now(connection)}
            connection.execute(upsert(connection, chat_cache, ["key"], ["reply", "at"]), row)


def _check_held(connection: Connection, call: Call, now: ColumnElement[int]) -> None:
    """A process that stood still must not pay for what others were given meanwhile.

    Looked at last in its transaction, as all before may have waited for locks.
    """
    if not call.leases:
        return
    still = leasing.under(call.leases)
    query = select(func.count()).select_from(questions).where(*still, questions.c.leased_until > now)
    if connection.execute(query).scalar_one() < len(call.leases):
        raise LeaseLost("the lease ran out before the call was made")


def _books(tier: str, endpoint: str, run: str, at: int) -> tuple[Book, Book, Book]:
    day = budget.day(at)
    return (tier, day), (ENDPOINT + endpoint, day), (RUN + run, EVER)


def _used(connection: Connection, book: Book) -> int:
    name, period = book
    query = select(budgets.c.reserved + budgets.c.spent)
    return int(
        connection.execute(query.where(budgets.c.tier == name, budgets.c.period == period)).scalar_one()
    )


def _note_refusal(connection: Connection, book: Book, at: int | None) -> None:
    """The router passes over a tier whose last call was refused for good, whichever cap it was."""
    name, period = book
    changed = update(budgets).where(budgets.c.tier == name, budgets.c.period == period)
    connection.execute(changed.values(refused_at=at))


def _write(connection: Connection, call: Call, now: int, **known: Any) -> int:
    row = {
        "at": now,
        "tier": call.tier,
        "endpoint": call.endpoint,
        "annotator": call.annotator,
        "question": call.question,
        "item": call.item,
        "run": call.run,
        "reserved": call.micros,
        "deadline": now + round(call.seconds * 1000),
        "trace": call.trace,
    }
    return int(connection.execute(insert(calls).values(row | known).returning(calls.c.id)).scalar_one())


def _move(connection: Connection, closed: list[tuple[Row[Any], int]]) -> None:
    """Book what calls came to, each as it stood before with its price now."""
    sums: dict[Book, list[int]] = defaultdict(lambda: [0, 0])
    for row, price in closed:
        for book, reserved, spent in _moves(row, price):
            sums[book][0] += reserved
            sums[book][1] += spent
    budget.hold(connection, sums)
    for (name, period), (reserved, spent) in sorted(sums.items()):
        budget.add(connection, name, period, Purpose.SETTLE, reserved=reserved, spent=spent)


def _moves(row: Row[Any], price: int) -> Iterator[tuple[Book, int, int]]:
    for book in _books(row.tier, row.endpoint, row.run, row.at):
        if row.state == RESERVED:
            yield book, -row.reserved, price
        else:
            yield book, 0, price - row.reserved
