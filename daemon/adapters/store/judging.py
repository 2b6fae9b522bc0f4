"""Closes windows: their audits are read, judged, and written into every item that was frozen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, insert, literal, or_, select, update

from daemon.adapters.store import asking, budget, decided, open_items, outbox, panels, telling
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f8, i4, i8, unpack_frozen
from daemon.adapters.store.panels import Terms
from daemon.adapters.store.schema import answers, items, questions, recheck, windows
from daemon.core.panel import UNANSWERED
from daemon.core.rows import AuditMade, OpenItem
from daemon.core.states import AuditProtocol, ItemState, Purpose, WindowState
from daemon.core.window_rows import Closing, Judge, LedgerRecord, OpenWindow, WindowPlan
from labeling_functions.label_space import joined
from models.guarantee.window import tie_coin


def lock(connection: Connection, window: int) -> Row[Any] | None:
    """The row of a window, locked with its questions; None if it is not open."""
    row = connection.execute(
        select(windows)
        .where(windows.c.id == window, windows.c.state == WindowState.OPEN.value)
        .with_for_update()
    ).one_or_none()
    if row is not None:
        panels.lock(connection, window, Purpose.AUDIT)
    return row


def close(
    connection: Connection, row: Row[Any], judge: Judge, ledger: LedgerRecord, caps: asking.Caps, now: int
) -> NDArray[np.int64] | None:
    """Judge a window and, if the judge says so, write its closing.

    Args:
        row: of the window, as `lock` gave it.
        ledger: of everything released before.

    Returns:
        (r,) places of the released labels in the frozen order; None if the window stays open.
    """
    frozen, audited = unpack_frozen(row.frozen), i4(row.audited).astype(np.int64)
    answered = panels.read(connection, [row.id], Purpose.AUDIT)[row.id]
    ids = [frozen.ids[index] for index in audited.tolist()]
    audits = panels.findings(answered, ids, AuditProtocol(row.protocol))
    overdue = now >= row.deadline
    if (audits == UNANSWERED).any() and not overdue:
        return None
    stored = _load(connection, frozen.ids)
    terms = _plan(row)
    tie = tie_coin(int(row.seed, 16), row.n) if terms.designed else 1.0
    open_window = OpenWindow(
        row.id, terms, stored, frozen.scores, frozen.labels, audited, audits, overdue, ledger, tie
    )
    closing = judge(open_window)
    if closing is None:
        return None
    _finish(connection, open_window, closing, now)
    # All money that changes hands, here and for the ledger's audits, is locked in one order.
    expired = asking.expire(connection, row.id, Purpose.AUDIT, now)
    budget.release(connection, expired, {(row.tier, budget.day(now))})
    _decide(connection, open_window, closing, caps, now)
    return np.flatnonzero([state == ItemState.CERTIFIED for state in closing.decision.states])


def ask_thirds(connection: Connection, row: Row[Any], caps: asking.Caps, now: int) -> list[AuditMade]:
    """Ask a third expert where two differ; nothing is asked of a window that closes in any case."""
    if now >= row.deadline or AuditProtocol(row.protocol) == AuditProtocol.SINGLE:
        return []
    terms = audit_terms(row)
    answered = panels.read(connection, [row.id], Purpose.AUDIT)[row.id]
    return panels.ask_thirds(connection, answered, terms, caps, now)


def audit_terms(row: Row[Any]) -> Terms:
    """How a window's audits are asked."""
    protocol = AuditProtocol(row.protocol)
    return Terms(row.id, Purpose.AUDIT, protocol, row.tier, row.price, row.priority)


def _load(connection: Connection, ids: Sequence[str]) -> list[OpenItem]:
    loaded = {item.id: item for item in open_items.complete(connection, open_items.lock(connection, ids))}
    return [loaded[id_] for id_ in ids]


def _plan(row: Row[Any]) -> WindowPlan:
    return WindowPlan(
        p=row.p,
        alpha=row.alpha,
        delta=row.delta,
        lambdas=f8(row.lambdas),
        start=row.start,
        tier=row.tier,
        price=row.price,
        priority=row.priority,
        deadline_seconds=(row.deadline - row.frozen_at) / 1000,
        protocol=AuditProtocol(row.protocol),
        outgoing_p=row.outgoing_p,
        rest=row.rest,
        limits=None if row.limits is None else i8(row.limits),
    )


def _finish(connection: Connection, window: OpenWindow, closing: Closing, now: int) -> None:
    # An audit that nobody answered in time, or that three experts could not settle, counts as an error.
    wrong = window.audits != joined(window.labels)[window.audited]
    certified = sum(state == ItemState.CERTIFIED for state in closing.decision.states)
    connection.execute(
        update(windows)
        .where(windows.c.id == window.id)
        .values(
            state=WindowState.CLOSED.value,
            accepted=closing.accepted.astype("<i8").tobytes(),
            errors=closing.errors.astype("<i8").tobytes(),
            tau=closing.tau,
            certified=certified,
            wrong=wrong.astype(np.int8).tobytes(),
            closed_at=now,
        )
    )
    if certified:
        telling.accepted(connection, window.id, now)


def _decide(
    connection: Connection,
    window: OpenWindow,
    closing: Closing,
    caps: asking.Caps,
    now: int,
) -> None:
    ids = [item.id for item in window.items]
    bundles = [item.bundle for item in window.items]
    asked = decided.write(connection, window.items, closing.decision, caps, now, bundles)
    sent_back = [id_ for id_, back in zip(ids, closing.sent_back.tolist(), strict=True) if back]
    connection.execute(
        update(items).where(among(connection, items.c.id, sent_back)).values(sent_back=items.c.sent_back + 1)
    )
    asking.recheck_items(connection, sent_back, "window")
    _recheck_answered(connection, window.id, ids)
    outbox.put(connection, closing.compose(asked))


def _recheck_answered(connection: Connection, window: int, ids: Sequence[str]) -> None:
    # Rechecks of frozen items were dropped; what was answered meanwhile, audits aside, is looked at now.
    audits = select(questions.c.id).where(questions.c.window == window)
    others = (
        select(answers.c.item, literal("answer"), literal(0))
        .where(
            among(connection, answers.c.item, ids),
            answers.c.retracted_at.is_(None),
            or_(answers.c.question.is_(None), answers.c.question.not_in(audits)),
        )
        .distinct()
    )
    connection.execute(insert(recheck).from_select(["item", "reason", "due"], others))
