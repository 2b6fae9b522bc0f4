"""Closes windows: their audits are read, judged, and written into every item that was frozen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, insert, literal, or_, select, update

from daemon.adapters.store import asking, decided, open_items, outbox
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f8, i1, i4, unpack_frozen
from daemon.adapters.store.schema import answers, items, questions, recheck, windows
from daemon.core.rows import OpenItem
from daemon.core.states import ItemState, WindowState
from daemon.core.window_rows import Closing, Judge, OpenWindow, WindowPlan

UNANSWERED = -1


def close(connection: Connection, window: int, judge: Judge, caps: asking.Caps, now: int) -> bool:
    """Judge a window and, if the judge says so, write its closing. True if closed."""
    row = connection.execute(
        select(windows)
        .where(windows.c.id == window, windows.c.state == WindowState.OPEN.value)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return False
    frozen, audited = unpack_frozen(row.frozen), i4(row.audited).astype(np.int64)
    audits = _audits(connection, window, [frozen.ids[index] for index in audited.tolist()])
    overdue = now >= row.deadline
    if (audits == UNANSWERED).any() and not overdue:
        return False
    stored = _load(connection, frozen.ids)
    open_window = OpenWindow(
        window, _plan(row), stored, frozen.scores, frozen.labels, audited, audits, overdue
    )
    closing = judge(open_window)
    if closing is None:
        return False
    _finish(connection, open_window, closing, now)
    expired = asking.expire(connection, window, now)
    _decide(connection, open_window, closing, caps, now, expired)
    return True


def _audits(connection: Connection, window: int, ids: Sequence[str]) -> NDArray[np.int64]:
    # Locked first: an answer that comes meanwhile waits, and then finds its question expired.
    lock = (
        select(questions.c.id).where(questions.c.window == window).order_by(questions.c.id).with_for_update()
    )
    connection.execute(lock)
    query = (
        select(answers.c.item, answers.c.labels)
        .join(questions, questions.c.id == answers.c.question)
        .where(questions.c.window == window, answers.c.retracted_at.is_(None))
    )
    found = {row.item: int(i1(row.labels)[0]) for row in connection.execute(query)}
    return np.array([found.get(id_, UNANSWERED) for id_ in ids], np.int64)


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
    )


def _finish(connection: Connection, window: OpenWindow, closing: Closing, now: int) -> None:
    # An audit that nobody answered in time counts as an error.
    wrong = window.audits != window.labels[window.audited, 0]
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


def _decide(
    connection: Connection,
    window: OpenWindow,
    closing: Closing,
    caps: asking.Caps,
    now: int,
    expired: Sequence[int],
) -> None:
    ids = [item.id for item in window.items]
    bundles = [item.bundle for item in window.items]
    asked = decided.write(connection, window.items, closing.decision, caps, now, bundles, expired)
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
