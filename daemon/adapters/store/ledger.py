"""The ledger of released labels: coins tossed at the close of a window, audits, entries that never change.

A window's entry is its row: what was released, which of it the coins picked, and how many audits are open
or found an error. It is settled when none is open. What a settled entry rests on stands for good; until
then an answer may be taken back, since every look counts the standing answers anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, insert, select, update

from daemon.adapters.store import asking, budget, coins, duties, panels
from daemon.adapters.store.asking import Caps
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import i4, unpack_frozen
from daemon.adapters.store.engine import Database
from daemon.adapters.store.panels import Panels, Terms
from daemon.adapters.store.schema import ledgers, windows
from daemon.core.panel import UNANSWERED
from daemon.core.rows import AuditMade
from daemon.core.states import AuditProtocol, Purpose, WindowState
from daemon.core.window_rows import NOTHING_RELEASED, LedgerRecord, LedgerStep
from labeling_functions.label_space import joined

WINDOWS_DUTY = "windows"

LOWER = 1.0
"""Outgoing audits have so much less priority than their window's own, for which labels wait."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One window's line in the ledger; `open` audits of items, not questions."""

    window: int
    closed_at: int
    released: int
    p: float
    audited: int
    open: int
    wrong: int
    deadline: int
    protocol: AuditProtocol


class Book:
    """Reads the ledger; remembers settled entries, which never change.

    Not to be asked inside a transaction that has settled an entry and may still be rolled back.
    """

    def __init__(self) -> None:
        self._settled: dict[int, Entry | None] = {}

    def record(self, connection: Connection) -> LedgerRecord:
        """Everything released since the ledger was started."""
        query = select(ledgers).order_by(ledgers.c.id.desc()).limit(1)
        begun = connection.execute(query).one_or_none()
        if begun is None:
            return _record(self.entries(connection, 0), NOTHING_RELEASED)
        start = LedgerRecord(begun.after_window, begun.started_at, begun.reason)
        return _record(self.entries(connection, begun.after_window), start)

    def entries(self, connection: Connection, after_window: int) -> list[Entry]:
        """Entries of closed windows that released something, in the order in which they closed."""
        closed = select(windows.c.id).where(windows.c.state == WindowState.CLOSED.value)
        ids = list(connection.execute(closed.where(windows.c.id > after_window)).scalars())
        known = {id_: self._settled[id_] for id_ in ids if id_ in self._settled}
        # Rows of windows are long: only those are read that are new or may have changed.
        fresh = _entries(connection, [id_ for id_ in ids if id_ not in known])
        self._settled.update({id_: one for id_, one in fresh.items() if one is None or not one.open})
        found = [one for one in (known | fresh).values() if one is not None]
        return sorted(found, key=lambda one: (one.closed_at, one.window))

    def pending(self, connection: Connection, now: int) -> list[int]:
        """Windows whose entry is to be brought up to date, in any ledger."""
        unsettled = [one for one in self.entries(connection, 0) if one.open]
        found = panels.read(connection, [one.window for one in unsettled], Purpose.OUTGOING)
        return [one.window for one in unsettled if now >= one.deadline or _has_news(one, found[one.window])]


class LedgerRoom:
    """The ledger for those who look at it, and who start it anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = Book()

    def record(self) -> LedgerRecord:
        """Everything released since the ledger was started."""
        with self._database.read() as connection:
            return self._book.record(connection)

    def steps(self) -> list[LedgerStep]:
        """How the ledger grew, window by settled window."""
        with self._database.read() as connection:
            record = self._book.record(connection)
            entries = self._book.entries(connection, record.after_window)[: record.windows]
        return [
            LedgerStep(one.window, one.closed_at, _record(entries[: place + 1], record))
            for place, one in enumerate(entries)
        ]

    def restart(self, reason: str) -> LedgerRecord:
        """Start a new ledger: windows that freeze from now on count; those that are frozen release nothing.

        Raises:
            ValueError: the reason is empty.
        """
        if not reason.strip():
            raise ValueError("a new ledger needs a reason: what went wrong, and how it was mended")
        with self._database.write() as connection:
            duties.hold(connection, WINDOWS_DUTY)
            last = connection.execute(select(func.max(windows.c.id))).scalar_one() or 0
            now = self._database.now(connection)
            row = {"after_window": last, "started_at": now, "reason": reason.strip()}
            connection.execute(insert(ledgers).values(**row))
            return LedgerRecord(last, now, reason.strip())


def draw(
    connection: Connection,
    window: Row[Any],
    released: NDArray[np.int64],
    toss: coins.Toss,
    caps: Caps,
    now: int,
) -> list[AuditMade]:
    """Toss a coin for every released label and ask about those picked, all blind.

    Args:
        window: its row, locked, as it was when it was frozen.
        released: (r,) places of the released labels in the frozen order.

    Raises:
        Unaffordable: the budget cannot pay for all that the coins may pick; the seed is not drawn then.
    """
    if window.outgoing_p is None or not len(released):
        return []
    terms = outgoing_terms(window)
    most = coins.most_picked(np.full(len(released), window.outgoing_p)) * terms.most
    coins.check_money(connection, terms.tier, terms.price, most, caps, now)
    seed, fell = coins.draw(toss, np.full(window.n, window.outgoing_p))
    picked = released[fell[released]]
    connection.execute(
        update(windows)
        .where(windows.c.id == window.id)
        .values(
            outgoing_seed=seed,
            outgoing=picked.astype("<i4").tobytes(),
            outgoing_deadline=now + window.deadline - window.frozen_at,
            outgoing_open=len(picked),
            outgoing_wrong=0,
        )
    )
    ids = unpack_frozen(window.frozen).ids
    asked = [(ids[place], window.outgoing_p) for place in picked.tolist()]
    return panels.ask(connection, asked, terms, caps, now)


def outgoing_terms(window: Row[Any]) -> Terms:
    """How audits of what this window released are asked: as its own were."""
    return Terms(
        window=window.id,
        purpose=Purpose.OUTGOING,
        protocol=AuditProtocol(window.protocol),
        tier=window.tier,
        price=window.price,
        priority=window.priority - LOWER,
    )


def settle(connection: Connection, window: int, caps: Caps, now: int) -> tuple[bool, list[AuditMade]]:
    """Count what the audits of one window's released labels found; whether it is settled, questions made."""
    row = connection.execute(select(windows).where(windows.c.id == window).with_for_update()).one()
    if not row.outgoing_open:
        return False, []
    panels.lock(connection, window, Purpose.OUTGOING)
    terms = outgoing_terms(row)
    answered = panels.read(connection, [window], Purpose.OUTGOING)[window]
    frozen, picked = unpack_frozen(row.frozen), i4(row.outgoing)
    found = panels.findings(answered, [frozen.ids[place] for place in picked.tolist()], terms.protocol)
    overdue = now >= row.outgoing_deadline
    still_open = 0 if overdue else int((found == UNANSWERED).sum())
    # Before the deadline an open audit is no error yet; after it, it is one.
    wrong = (found != joined(frozen.labels)[picked]) & (overdue | (found != UNANSWERED))
    entry = {"outgoing_open": still_open, "outgoing_wrong": int(wrong.sum())}
    connection.execute(update(windows).where(windows.c.id == window).values(**entry))
    if still_open:
        return False, panels.ask_thirds(connection, answered, terms, caps, now)
    budget.release(connection, asking.expire(connection, window, Purpose.OUTGOING, now))
    return True, []


def _has_news(entry: Entry, answered: Panels) -> bool:
    waiting = sum(
        panels.findings({item: one}, [item], entry.protocol)[0] == UNANSWERED
        for item, one in answered.items()
    )
    return waiting != entry.open or any(
        panels.wants_another(one, entry.protocol) for one in answered.values()
    )


def _entries(connection: Connection, ids: Sequence[int]) -> dict[int, Entry | None]:
    """By window; None for those that released nothing, or before there was a ledger."""
    if not ids:
        return {}
    columns = (
        windows.c.id,
        windows.c.closed_at,
        windows.c.certified,
        windows.c.outgoing_p,
        windows.c.outgoing,
        windows.c.outgoing_open,
        windows.c.outgoing_wrong,
        windows.c.outgoing_deadline,
        windows.c.protocol,
    )
    rows = connection.execute(select(*columns).where(among(connection, windows.c.id, ids)))
    return {row.id: None if row.outgoing is None else _entry(row) for row in rows}


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        window=row.id,
        closed_at=row.closed_at,
        released=row.certified,
        p=row.outgoing_p,
        audited=len(i4(row.outgoing)),
        open=row.outgoing_open,
        wrong=row.outgoing_wrong,
        deadline=row.outgoing_deadline,
        protocol=AuditProtocol(row.protocol),
    )


def _record(entries: Sequence[Entry], begun: LedgerRecord) -> LedgerRecord:
    settled = next((place for place, one in enumerate(entries) if one.open), len(entries))
    counted, waiting = entries[:settled], entries[settled:]
    return LedgerRecord(
        after_window=begun.after_window,
        since=begun.since,
        reason=begun.reason,
        windows=len(counted),
        released=sum(one.released for one in counted),
        audited=sum(one.audited for one in counted),
        found=sum(one.wrong for one in counted),
        p=min((one.p for one in counted), default=None),
        waiting_windows=len(waiting),
        waiting_released=sum(one.released for one in waiting),
        waiting_audits=sum(one.open for one in waiting),
    )
