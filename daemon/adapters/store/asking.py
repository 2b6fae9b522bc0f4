"""Questions: made, moved in their queues, taken back when they are wanted no more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select, update

from daemon.adapters.store import budget
from daemon.adapters.store.bulk import among, bulk_insert, new_ids
from daemon.adapters.store.schema import questions, recheck, windows
from daemon.core.rows import Ask, Asked, Reprice
from daemon.core.states import BLIND_PURPOSES, SETTLING, Purpose, QuestionState, WindowState

UNANSWERED = (QuestionState.OPEN.value, QuestionState.LEASED.value)

_MOVE = (
    update(questions)
    .where(
        questions.c.item == bindparam("about"),
        questions.c.state == QuestionState.OPEN.value,
        or_(*(questions.c.purpose == purpose.value for purpose in SETTLING)),  # `in_` works for one row only
    )
    .values(priority=bindparam("place"))
)

_RECHECK = insert(recheck).inline()

Caps = Mapping[str, int | None]
"""Tier -> micro-units a UTC day; None or absent: no limit."""


def ask(
    connection: Connection,
    items: Sequence[str],
    asks: Sequence[Ask],
    caps: Caps,
    now: int,
    window: int | None = None,
) -> list[Asked]:
    """Make the questions; blind ones only as the budgets of the day can pay them, most urgent first.

    An item whose blind question was refused is looked at again when the next day starts. All others are paid
    for when they are leased.

    Args:
        items: ids that `Ask.row` points into.
        window: the window that audits belong to.
    """
    if not asks:
        return []
    blind = [ask for ask in asks if ask.purpose in BLIND_PURPOSES]
    granted, refused = _granted(connection, blind, caps, budget.day(now))
    again = sorted({items[ask.row] for ask in refused})
    recheck_items(connection, again, "budget", budget.next_day(now))
    made = [*granted, *(ask for ask in asks if ask.purpose not in BLIND_PURPOSES)]
    if not made:
        return []
    ids = _insert(connection, items, made, now, window)
    paid = zip(ids, granted, strict=False)  # the granted come first
    budget.book(
        connection,
        [budget.Booking(id_, items[ask.row], ask.tier, ask.purpose.value, ask.price) for id_, ask in paid],
        now,
    )
    return [Asked(id_, ask) for id_, ask in zip(ids, made, strict=True)]


def move(connection: Connection, items: Sequence[str], reprices: Sequence[Reprice]) -> None:
    """Give open questions that settle items another place in their queue.

    One that somebody is leasing right now is waited for, and then left where it is.
    """
    if not reprices:
        return
    connection.execute(_MOVE, [{"about": items[one.row], "place": one.priority} for one in reprices])


def recheck_items(connection: Connection, items: Sequence[str], reason: str, due: int = 0) -> None:
    """Have these items looked at again, from `due` (ms) on."""
    if items:
        count = len(items)
        bulk_insert(connection, recheck, {"item": items, "reason": [reason] * count, "due": [due] * count})


def recheck_item(connection: Connection, item: str, reason: str) -> None:
    """Have one item looked at again; may be said `together` with other statements."""
    connection.execute(_RECHECK, {"item": item, "reason": reason})


def withdraw(connection: Connection, items: Sequence[str], now: int) -> list[int]:
    """Cancel what is still asked about these items; ids of the questions.

    Audits of open windows and of released labels stay, whatever becomes of the item: their coins have fallen.
    Their budget is the caller's to release.
    """
    if not items:
        return []
    of_open_window = and_(
        questions.c.purpose == Purpose.AUDIT.value,
        questions.c.window.in_(select(windows.c.id).where(windows.c.state == WindowState.OPEN.value)),
    )
    audited = of_open_window | (questions.c.purpose == Purpose.OUTGOING.value)
    return _end(
        connection, among(connection, questions.c.item, items) & ~audited, QuestionState.CANCELLED, now
    )


def cancel(connection: Connection, ids: Sequence[int], now: int) -> None:
    """End these unanswered questions. Their budget is the caller's to release."""
    if ids:
        _end(connection, among(connection, questions.c.id, ids), QuestionState.CANCELLED, now)


def expire(connection: Connection, window: int, purpose: Purpose, now: int) -> list[int]:
    """End the unanswered audits of a window; ids of the questions, whose budget the caller releases."""
    which = and_(questions.c.window == window, questions.c.purpose == purpose.value)
    return _end(connection, which, QuestionState.EXPIRED, now)


def _end(connection: Connection, which: ColumnElement[bool], state: QuestionState, now: int) -> list[int]:
    ended = (
        update(questions)
        .where(which, questions.c.state.in_(UNANSWERED))
        .values(state=state.value, closed=now, holder=None, leased_until=None)
        .returning(questions.c.id)
    )
    return list(connection.execute(ended).scalars())


def _granted(
    connection: Connection, asks: Sequence[Ask], caps: Caps, period: str
) -> tuple[list[Ask], list[Ask]]:
    prices: dict[tuple[str, int], list[Ask]] = defaultdict(list)
    for ask in asks:
        prices[ask.tier, ask.price].append(ask)
    budget.hold(connection, {(tier, period) for tier, _ in prices})
    granted, refused = [], []
    for (tier, price), listed in sorted(prices.items()):
        listed.sort(key=lambda ask: -ask.priority)
        count = budget.reserve(connection, tier, price, len(listed), caps.get(tier), period)
        granted += listed[:count]
        refused += listed[count:]
    return granted, refused


def _insert(
    connection: Connection, items: Sequence[str], asks: Sequence[Ask], now: int, window: int | None
) -> list[int]:
    ids, count = new_ids(connection, questions, len(asks)), len(asks)
    bulk_insert(
        connection,
        questions,
        {
            "id": ids,
            "item": [items[ask.row] for ask in asks],
            "tier": [ask.tier for ask in asks],
            "purpose": [ask.purpose.value for ask in asks],
            "window": [window] * count,
            "priority": [float(ask.priority) for ask in asks],
            "price": [ask.price for ask in asks],
            "created": [now] * count,
            "chance": [ask.chance for ask in asks],
        },
    )
    return ids
