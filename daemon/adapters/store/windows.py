"""Windows: ready items frozen on fixed terms, coins tossed after, judged when the audits are in."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, exists, func, insert, literal_column, select, update

from daemon.adapters.store import asking, coins, drawing, duties, judging, ledger, outbox, panels
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import i1, i4, pack_frozen, unpack_frozen
from daemon.adapters.store.engine import Database
from daemon.adapters.store.panels import Terms
from daemon.adapters.store.schema import annotators, answers, items, questions, recheck, windows
from daemon.core import panel
from daemon.core.errors import Unaffordable
from daemon.core.rows import AuditMade, ComposeAudits, Duty
from daemon.core.states import (
    RANDOM_PURPOSES,
    AnnotatorKind,
    ItemState,
    Purpose,
    QuestionState,
    WindowState,
)
from daemon.core.window_rows import (
    F8,
    Frozen,
    Judge,
    LedgerRecord,
    Ready,
    WindowPlan,
    WindowRecord,
)


class WindowRoom:
    """`daemon.core.ports.WindowStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, caps: asking.Caps, toss: coins.Toss) -> None:
        """`caps` as for the stream's store; `toss` draws a window's coins from its seed."""
        self._book = ledger.Book()
        self._database = database
        self._caps = caps
        self._toss = toss

    def ready(self) -> Ready:
        """How many items wait for a window, and since when; only those that `freeze` would take."""
        with self._database.read() as connection:
            now = self._database.now(connection)
            waiting = select(func.count(), func.min(items.c.ready_since)).where(*_may_freeze())
            count, since = connection.execute(waiting).one()
            random = [purpose.value for purpose in RANDOM_PURPOSES]
            gold = select(func.count()).where(answers.c.purpose.in_(random), answers.c.retracted_at.is_(None))
            age = 0.0 if since is None else max(0, now - since) / 1000
            return Ready(int(count), age, int(connection.execute(gold).scalar_one()))

    def top_up_gold(self, duty: Duty, wanted: int) -> int:
        """Have up to `wanted` stored items asked blindly, where no more come to draw from; how many."""
        if wanted < 1:
            return 0
        with self._database.write() as connection:
            duties.check(connection, duty)
            return drawing.top_up(connection, wanted, self._database.now(connection))

    def gold_drawn(self, since: int | None = None) -> int:
        """Gold questions made, ever or since then (ms), that were not withdrawn: answered, open or leased."""
        states = (QuestionState.ANSWERED.value, *asking.UNANSWERED)
        with self._database.glance() as connection:
            # The literal lets SQLite see that its partial index on gold questions serves.
            drawn = select(func.count()).where(
                questions.c.purpose == literal_column("'gold'"), questions.c.state.in_(states)
            )
            if since is not None:
                drawn = drawn.where(questions.c.created >= since)
            return int(connection.execute(drawn).scalar_one())

    def freeze(
        self, duty: Duty, limit: int, plan: Callable[[Frozen], WindowPlan], compose: ComposeAudits
    ) -> int | None:
        """Freeze up to `limit` ready items, longest ready first: plan, seed, coins, questions, in this order.

        The budget is asked before the seed is drawn, for all that these coins and those of the ledger may
        pick: a window that today's budget could not pay to release is not frozen.

        Returns:
            The window's id; None when nothing was ready, or the budget cannot pay (then nothing happens).

        Raises:
            DutyLost: somebody else tends the windows now.
        """
        try:
            with self._database.write() as connection:
                duties.check(connection, duty)
                frozen = _lock_ready(connection, limit)
                if not frozen.ids:
                    return None
                window, audits = self._freeze(connection, frozen, plan(frozen))
                outbox.put(connection, compose(audits))
                return window
        except Unaffordable:
            return None

    def open_windows(self) -> list[int]:
        """Ids, oldest first."""
        with self._database.glance() as connection:
            query = (
                select(windows.c.id).where(windows.c.state == WindowState.OPEN.value).order_by(windows.c.id)
            )
            return list(connection.execute(query).scalars())

    def close(self, duty: Duty, window: int, judge: Judge, compose: ComposeAudits) -> bool:
        """Load, judge and, if the judge says so, close: states, labels, outbox, rechecks. True if closed.

        While audits are unanswered and the deadline has not passed, the window must wait in any case:
        then nothing is loaded and the judge is not asked, but third experts are where two differ. Coins for
        the ledger are tossed in the same transaction, after the verdict.

        Raises:
            DutyLost: somebody else tends the windows now.
            Unaffordable: the budget cannot pay for what the ledger's coins may pick; nothing was written.
        """
        with self._database.write() as connection:
            duties.check(connection, duty)
            now = self._database.now(connection)
            row = judging.lock(connection, window)
            if row is None:
                return False
            outbox.put(connection, compose(judging.ask_thirds(connection, row, self._caps, now)))
            record = self._book.record(connection)
            released = judging.close(connection, row, judge, record, self._caps, now)
            if released is None:
                return False
            made = ledger.draw(connection, row, released, self._toss, self._caps, now)
            outbox.put(connection, compose(made))
            return True

    def settle_ledger(self, duty: Duty, compose: ComposeAudits) -> int:
        """Write down what audits of released labels found, window by window; number of windows settled.

        Raises:
            DutyLost: somebody else tends the windows now.
        """
        with self._database.read() as connection:
            pending = self._book.pending(connection, self._database.now(connection))
        settled = 0
        for window in pending:
            with self._database.write() as connection:
                duties.check(connection, duty)
                done, made = ledger.settle(connection, window, self._caps, self._database.now(connection))
                outbox.put(connection, compose(made))
                settled += done
        return settled

    def ledger(self) -> LedgerRecord:
        """Everything released since the ledger was started."""
        with self._database.read() as connection:
            return self._book.record(connection)

    def last_threshold(self, since: int | None = None) -> float | None:
        """What the window that closed last released from; None if it released nothing, or there is none.

        With `since` (ms), windows that froze before are as good as none.
        """
        closed = windows.c.state == WindowState.CLOSED.value
        last = select(windows.c.tau).where(closed, windows.c.frozen_at >= (since or 0))
        last = last.order_by(windows.c.id.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(last).scalar_one_or_none()

    def closed_windows(self, limit: int) -> list[WindowRecord]:
        """Newest first."""
        query = (
            select(windows)
            .where(windows.c.state == WindowState.CLOSED.value)
            .order_by(windows.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [record_of(row) for row in connection.execute(query)]

    def _freeze(
        self, connection: Connection, frozen: Frozen, terms: WindowPlan
    ) -> tuple[int, list[AuditMade]]:
        now = self._database.now(connection)
        window = _store_terms(connection, frozen, terms, now)
        _mark_frozen(connection, frozen.ids, window, now)
        shares = terms.coins(frozen.scores)
        coins.check_money(connection, terms.tier, terms.price, _most_asked(terms, shares), self._caps, now)
        seed, fell = coins.draw(self._toss, shares)
        audited = np.flatnonzero(fell)
        drawn = {"seed": seed, "audited": audited.astype("<i4").tobytes()}
        connection.execute(update(windows).where(windows.c.id == window).values(**drawn))
        asked = Terms(window, Purpose.AUDIT, terms.protocol, terms.tier, terms.price, terms.priority)
        picked = [(frozen.ids[place], float(shares[place])) for place in audited.tolist()]
        made = panels.ask(connection, picked, asked, self._caps, now)
        if len(made) < len(picked) * asked.first:
            raise Unaffordable(f"window {window}: the coins picked {len(picked)} items")
        return window, made


def _most_asked(terms: WindowPlan, shares: F8) -> int:
    """More answers than the coins of a window, and then those of the ledger, will reasonably take."""
    outgoing = 0 if terms.outgoing_p is None else coins.most_picked(np.full(len(shares), terms.outgoing_p))
    return panel.MOST[terms.protocol] * (coins.most_picked(shares) + outgoing)


def record_of(row: Row[Any]) -> WindowRecord:
    """A closed window's row, for planning and for pages."""
    audited = i4(row.audited)
    return WindowRecord(
        id=row.id,
        n=row.n,
        p=row.p,
        alpha=row.alpha,
        delta=row.delta,
        tau=row.tau,
        certified=row.certified,
        scores=unpack_frozen(row.frozen).scores[audited],
        wrong=i1(row.wrong).astype(np.bool_),
        closed_at=row.closed_at,
        frozen_at=row.frozen_at,
    )


def _may_freeze() -> tuple[ColumnElement[bool], ...]:
    """Ready, answered by no person, and not about to be looked at again: after a promotion the scores of
    what waits are those of the model before.
    """
    answered_by_a_person = exists().where(
        answers.c.item == items.c.id,
        answers.c.retracted_at.is_(None),
        annotators.c.id == answers.c.annotator,
        annotators.c.kind == AnnotatorKind.PERSON.value,
    )
    looked_at = items.c.id.not_in(select(recheck.c.item))
    return items.c.state == ItemState.READY.value, ~answered_by_a_person, looked_at


def _lock_ready(connection: Connection, limit: int) -> Frozen:
    # Items that another worker decides on right now are not waited for: they join a later window.
    query = (
        select(items.c.id, items.c.score, items.c.labels)
        .where(*_may_freeze())
        .order_by(items.c.ready_since, items.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=items)
    )
    rows = connection.execute(query).all()
    labels = [i1(row.labels) for row in rows]
    return Frozen(
        ids=[row.id for row in rows],
        scores=np.array([row.score for row in rows], np.float32),
        labels=np.stack(labels) if labels else np.empty((0, 1), np.int8),
    )


def _store_terms(connection: Connection, frozen: Frozen, terms: WindowPlan, now: int) -> int:
    row = {
        "state": WindowState.OPEN.value,
        "n": len(frozen.ids),
        "p": terms.p,
        "alpha": terms.alpha,
        "delta": terms.delta,
        "lambdas": terms.lambdas.astype("<f8").tobytes(),
        "start": terms.start,
        "tier": terms.tier,
        "price": terms.price,
        "priority": terms.priority,
        "deadline": now + round(terms.deadline_seconds * 1000),
        "frozen_at": now,
        "frozen": pack_frozen(frozen),
        "protocol": terms.protocol.value,
        "outgoing_p": terms.outgoing_p,
        "rest": terms.rest,
        "limits": None if terms.limits is None else terms.limits.astype("<i8").tobytes(),
    }
    return int(connection.execute(insert(windows).values(**row).returning(windows.c.id)).scalar_one())


def _mark_frozen(connection: Connection, ids: Sequence[str], window: int, now: int) -> None:
    connection.execute(
        update(items)
        .where(among(connection, items.c.id, ids))
        .values(state=ItemState.FROZEN.value, window=window, ready_since=None, changed=now)
    )
