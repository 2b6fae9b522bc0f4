"""What each tier cost: questions that were paid one by one, and calls to language models."""

from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from daemon.adapters.store import budget
from daemon.adapters.store.asking import Caps
from daemon.adapters.store.schema import annotators, answers, budgets, calls, spend
from daemon.core.report_rows import Spending
from daemon.core.states import AnnotatorKind, CallState

REFUSED_MILLISECONDS = 60_000
"""A tier whose last call was refused, and not only for calls under way, is passed over for so long, unless
one is granted before: its language models try again as long as anything waits for them."""


def spending(connection: Connection, caps: Caps, now: int) -> list[Spending]:
    """Money of every tier that has a cap or ever cost anything."""
    paid, given, called = (_by_tier(connection, query) for query in (_paid(), _given(), _called()))
    today = _by_tier(connection, select(budgets).where(budgets.c.period == budget.day(now)))
    tiers = {*caps, *paid, *given, *called, *(name for name in today if is_tier(name))}
    return [
        Spending(
            tier=tier,
            answers=_sum(tier, "answers", paid, given),
            spent=_sum(tier, "micros", paid, called),
            seconds=_sum(tier, "seconds", paid, given),
            today_cap=caps.get(tier),
            today_reserved=_sum(tier, "reserved", today),
            today_spent=_sum(tier, "spent", today),
            calls=_sum(tier, "calls", called),
            lost_calls=_sum(tier, "lost", called),
            capped=tier in today and is_refused(today[tier], now),
        )
        for tier in sorted(tiers)
    ]


def is_tier(name: str) -> bool:
    """Whether a row of `budgets` is a tier's; those of endpoints and runs have a colon."""
    return ":" not in name


def is_refused(row: Row[Any], now: int) -> bool:
    """Whether a cap (of tier, endpoint or run) had no money for the last call, lately; row of `budgets`."""
    return row.refused_at is not None and row.refused_at > now - REFUSED_MILLISECONDS


def _paid() -> Select[Any]:
    return (
        select(
            spend.c.tier,
            func.count().filter(spend.c.external.is_(None)).label("answers"),
            func.sum(spend.c.micros).label("micros"),
            func.sum(spend.c.seconds).label("seconds"),
        )
        .where(spend.c.state == "spent")
        .group_by(spend.c.tier)
    )


def _given() -> Select[Any]:
    """Answers of language models: no row of `spend` stands for them."""
    return (
        select(annotators.c.tier, func.count().label("answers"), func.sum(answers.c.seconds).label("seconds"))
        .join(answers, answers.c.annotator == annotators.c.id)
        .where(
            annotators.c.kind == AnnotatorKind.LLM.value,
            annotators.c.tier.is_not(None),
            answers.c.retracted_at.is_(None),
        )
        .group_by(annotators.c.tier)
    )


def _called() -> Select[Any]:
    made = calls.c.state.in_([CallState.SPENT.value, CallState.LOST.value]) & ~calls.c.cached
    return select(
        calls.c.tier,
        func.sum(calls.c.micros).label("micros"),
        func.sum(case((made, 1), else_=0)).label("calls"),
        func.sum(case((calls.c.state == CallState.LOST.value, 1), else_=0)).label("lost"),
    ).group_by(calls.c.tier)


def _by_tier(connection: Connection, query: Select[Any]) -> dict[str, Row[Any]]:
    return {row.tier: row for row in connection.execute(query)}


def _sum(tier: str, column: str, *parts: dict[str, Row[Any]]) -> Any:
    return sum(getattr(part[tier], column) for part in parts if tier in part)
