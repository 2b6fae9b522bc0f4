"""What a tier may still spend now: the figures of its day, read for `daemon.core.pace`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_

from daemon.adapters.store import budget, in_flight
from daemon.adapters.store.asking import Caps
from daemon.adapters.store.schema import budgets, counters
from daemon.adapters.store.spending import is_refused
from daemon.core.pace import Arrived, Left, Taken, money_left

ARRIVED = "arrived:"
"""Counters of items by UTC day: a batch adds to one row, nobody counts the items."""


def arrivals(count: int, now: int) -> dict[str, int]:
    """What a batch adds to the counters."""
    return {ARRIVED + budget.day(now): count}


@dataclass(frozen=True, slots=True)
class Allowances:
    """Rules for the money of all tiers.

    Attributes:
        caps: tier -> micro-units a UTC day; None or absent: no limit.
        learning: tiers that are asked to learn from: a share of theirs is kept for it.
        paced: whether a day's money is let go in step with its items. The first days, before a whole one is
            known, are not.
    """

    caps: Caps = field(default_factory=dict)
    learning: frozenset[str] = frozenset()
    paced: bool = False

    def lock(self, connection: Connection, tier: str, now: int) -> Left:
        """What the tier may spend now. Its row stays locked until the transaction ends, if it has a limit."""
        if self.caps.get(tier) is not None:
            budget.hold(connection, [(tier, budget.day(now))])
        return self.left(connection, tier, now)

    def left(self, connection: Connection, tier: str, now: int) -> Left:
        """As `lock`, for a look that reserves nothing."""
        cap = self.caps.get(tier)
        if cap is None:
            return Left()
        arrived = _arrived(connection, now) if self.paced else None
        return money_left(cap, _taken(connection, tier, now), arrived, tier in self.learning)


UNLIMITED = Allowances()


def spent_tiers(connection: Connection, caps: Caps, prices: Mapping[str, int], now: int) -> frozenset[str]:
    """Tiers whose budget of the day cannot pay one more answer, or whose last call was refused just now.

    What calls under way hold is as good as there: they give most of it back.
    """
    taken = _rows(connection, [(tier, budget.day(now)) for tier in prices])
    coming_back = in_flight.of_tiers(connection, now)
    found = set()
    for tier, price in prices.items():
        cap, row = caps.get(tier), taken.get((tier, budget.day(now)))
        used = 0 if row is None else row.reserved + row.spent - coming_back.get(tier, 0)
        short = cap is not None and price > 0 and used + price > cap
        if short or (row is not None and is_refused(row, now)):
            found.add(tier)
    return frozenset(found)


def _taken(connection: Connection, tier: str, now: int) -> Taken:
    today, before = budget.day(now), budget.day(now - budget.DAY)
    rows = _rows(connection, [(tier, today), (tier, before)])
    row, last = rows.get((tier, today)), rows.get((tier, before))
    if row is None:
        return Taken(audits_before=0 if last is None else last.audits)
    return Taken(
        audits=row.audits,
        learning=row.learning,
        settling=row.reserved + row.spent - row.audits - row.learning,
        audits_before=0 if last is None else last.audits,
    )


def _arrived(connection: Connection, now: int) -> Arrived | None:
    """How far the day is; None before a whole day is known: the one on which the first item came is none."""
    today, before = ARRIVED + budget.day(now), ARRIVED + budget.day(now - budget.DAY)
    first = select(func.min(counters.c.name)).where(counters.c.name >= ARRIVED, counters.c.name <= today)
    begun = connection.execute(first).scalar_one()
    if begun is None or begun >= before:
        return None
    query = select(counters.c.name, counters.c.value).where(counters.c.name.in_([today, before]))
    count = {name: int(value) for name, value in connection.execute(query)}
    return Arrived(count.get(today, 0), count.get(before, 0), (now % budget.DAY) / budget.DAY)


def _rows(connection: Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
    query = select(budgets).where(tuple_(budgets.c.tier, budgets.c.period).in_(pairs))
    return {(row.tier, row.period): row for row in connection.execute(query)}
