"""Money of the tiers: reserved when a question is made or leased, spent when it is answered, else released.

`budgets` holds one row a tier and UTC day, `spend` one row for each time that a question took money. A row of
`budgets` is locked by whoever changes it until the transaction ends, so that no cap is ever passed;
transactions that change several call `hold` first, which locks them in one order. Its columns `audits` and
`learning` say how much of what is reserved and spent serves these ends.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_, update

from daemon.adapters.store.bulk import among, bulk_insert, sums, upsert
from daemon.adapters.store.schema import budgets, spend
from daemon.core.states import BLIND_PURPOSES, Purpose

DAY = 86_400_000
_RESERVED = insert(spend).inline()

PAID_WHEN_MADE = tuple(purpose.value for purpose in BLIND_PURPOSES)
"""Purposes of audits: their coins have fallen, so that their money must be there. All others are paid for
when somebody leases the question: most of what waits in a queue is never asked."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What a question costs. `purpose` is one of `Purpose`."""

    question: int
    item: str
    tier: str
    purpose: str
    micros: int


def day(at: int) -> str:
    """Budget period of a moment (ms): its UTC day, 'YYYY-MM-DD'."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def next_day(at: int) -> int:
    """Milliseconds at which the next period starts."""
    return (at // DAY + 1) * DAY


def hold(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Lock the rows of these (tier, period) pairs, made if absent, in one order for everybody."""
    wanted = sorted(set(pairs))
    if wanted:
        new = [{"tier": tier, "period": period, "reserved": 0, "spent": 0} for tier, period in wanted]
        connection.execute(upsert(connection, budgets, ["tier", "period"], []), new)
        connection.execute(
            select(budgets.c.tier)
            .where(tuple_(budgets.c.tier, budgets.c.period).in_(wanted))
            .order_by(budgets.c.tier, budgets.c.period)
            .with_for_update()
        )


def reserve(connection: Connection, tier: str, price: int, count: int, cap: int | None, period: str) -> int:
    """Reserve the price of up to `count` audits; how many the cap (micro-units, None: no limit) allows.

    `book` then writes the questions' rows of `spend`.
    """
    row = connection.execute(
        upsert(connection, budgets, ["tier", "period"], ["cap"]).returning(
            budgets.c.reserved, budgets.c.spent
        ),
        {"tier": tier, "period": period, "cap": cap, "reserved": 0, "spent": 0},
    ).one()
    granted = count
    if cap is not None and price > 0:
        granted = max(0, min(count, (cap - row.reserved - row.spent) // price))
    add(connection, tier, period, Purpose.AUDIT, reserved=granted * price)
    return granted


def book(connection: Connection, asked: Sequence[Booking], now: int) -> None:
    """Write the reservations of questions (their sums were reserved before)."""
    bulk_insert(
        connection,
        spend,
        {
            "at": [now] * len(asked),
            "tier": [one.tier for one in asked],
            "question": [one.question for one in asked],
            "item": [one.item for one in asked],
            "state": ["reserved"] * len(asked),
            "micros": [one.micros for one in asked],
            "purpose": [one.purpose for one in asked],
        },
    )


def reserve_leased(connection: Connection, tier: str, asked: Sequence[Booking], now: int) -> None:
    """Reserve and book questions of one tier that somebody leases; the caller knows that they can be paid."""
    if not asked:
        return
    connection.execute(_RESERVED, [{**_row(one, now), "state": "reserved"} for one in asked])
    for purpose in sorted({one.purpose for one in asked}):
        micros = sum(one.micros for one in asked if one.purpose == purpose)
        add(connection, tier, day(now), purpose, reserved=micros)


@dataclass(frozen=True, slots=True)
class Payment:
    """What an answer cost, on its way into `budgets`.

    Attributes:
        period: that pays it. micros: spent. reserved: of these, how many had been reserved.
    """

    tier: str
    period: str
    purpose: str
    micros: int
    reserved: int


def pay(
    connection: Connection,
    asked: Booking,
    annotator: int,
    seconds: float,
    now: int,
    in_vain: str | None = None,
) -> int:
    """Turn a question's reservation into money spent; micro-units paid.

    `in_vain`: key of an answer from outside that is paid and not taken.
    """
    payment = spent(connection, asked, annotator, seconds, now, in_vain)
    settle(connection, payment)
    return payment.micros


def settle(connection: Connection, payment: Payment) -> None:
    """Count it in its day's budget, whose row is locked from then on: best done last."""
    added = {"reserved": -payment.reserved, "spent": payment.micros}
    add(connection, payment.tier, payment.period, payment.purpose, **added)


def spent(
    connection: Connection,
    asked: Booking,
    annotator: int,
    seconds: float,
    now: int,
    in_vain: str | None = None,
) -> Payment:
    """Note that a question's answer is paid; `settle` must follow in the same transaction.

    An answer that is given is paid, even if the reservation was released when its lease ran out and the cap
    is passed by it.
    """
    row = connection.execute(
        update(spend)
        .where(spend.c.question == asked.question, spend.c.state == "reserved")
        .values(state="spent", annotator=annotator, seconds=seconds, external=in_vain)
        .returning(spend.c.tier, spend.c.at, spend.c.micros)
    ).one_or_none()
    if row is not None:
        return Payment(row.tier, day(row.at), asked.purpose, int(row.micros), int(row.micros))
    late = {**_row(asked, now), "state": "spent"}
    paid = {"annotator": annotator, "seconds": seconds, "external": in_vain}
    connection.execute(insert(spend).values(**late, **paid))
    return Payment(asked.tier, day(now), asked.purpose, asked.micros, 0)


def _row(asked: Booking, now: int) -> dict[str, Any]:
    return {
        "at": now,
        "tier": asked.tier,
        "question": asked.question,
        "item": asked.item,
        "micros": asked.micros,
        "purpose": asked.purpose,
    }


def unpay(connection: Connection, question: int) -> None:
    """Turn money spent on a question back into a reservation: its answer was taken back."""
    row = connection.execute(
        update(spend)
        .where(spend.c.question == question, spend.c.state == "spent", spend.c.external.is_(None))
        .values(state="reserved", annotator=None, seconds=0, tokens=0)
        .returning(spend.c.tier, spend.c.at, spend.c.micros, spend.c.purpose)
    ).one_or_none()
    if row is not None:
        add(connection, row.tier, day(row.at), row.purpose, reserved=row.micros, spent=-row.micros)


def release(connection: Connection, questions: Sequence[int], also: Iterable[tuple[str, str]] = ()) -> None:
    """Give back what is still reserved for these questions.

    `also`: (tier, period) pairs that the same transaction will change after this.
    """
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    if questions:
        released = (
            update(spend)
            .where(among(connection, spend.c.question, questions), spend.c.state == "reserved")
            .values(state="released")
            .returning(spend.c.tier, spend.c.at, spend.c.micros, spend.c.purpose)
        )
        for row in connection.execute(released):
            totals[row.tier, day(row.at), row.purpose] += row.micros
    hold(connection, [*((tier, period) for tier, period, _ in totals), *also])
    for (tier, period, purpose), micros in sorted(totals.items()):
        add(connection, tier, period, purpose, reserved=-micros)


def give_back(connection: Connection, tier: str, period: str, micros: int) -> None:
    """Undo a part of `reserve` for which no question was made."""
    add(connection, tier, period, Purpose.AUDIT, reserved=-micros)


def add(
    connection: Connection, tier: str, period: str, purpose: str, reserved: int = 0, spent: int = 0
) -> None:
    """Move a row of `budgets`, made if absent, by these micro-units; it is locked from then on.

    Who changes several rows calls `hold` first.
    """
    both = reserved + spent
    added = {
        "reserved": reserved,
        "spent": spent,
        "audits": both if purpose in PAID_WHEN_MADE else 0,
        "learning": both if purpose == Purpose.LEARN else 0,
    }
    connection.execute(
        sums(connection, budgets, ["tier", "period"], list(added)),
        {"tier": tier, "period": period, **added},
    )
