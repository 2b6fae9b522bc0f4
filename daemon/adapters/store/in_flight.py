"""Money that calls under way hold at their longest price, most of which they are about to give back."""

from sqlalchemy import ColumnElement, Connection, and_, func, select

from daemon.adapters.store import budget
from daemon.adapters.store.schema import calls
from daemon.core.states import CallState

FLIGHT_MILLISECONDS = 60_000
"""A call that is reserved for longer waits for its turn, hangs, or was left by a dead process: nobody should
wait for what it may give back."""


def of_tiers(connection: Connection, now: int) -> dict[str, int]:
    """Micro-units of today by tier; tiers without a call under way are left out."""
    sums = select(calls.c.tier, func.sum(calls.c.reserved).label("micros")).where(_in_flight(now))
    return {row.tier: int(row.micros) for row in connection.execute(sums.group_by(calls.c.tier))}


def of_books(connection: Connection, tier: str, endpoint: str, run: str, now: int) -> tuple[int, int, int]:
    """Micro-units of today of one tier, of one endpoint and of one run."""
    columns = (calls.c.tier == tier, calls.c.endpoint == endpoint, calls.c.run == run)
    sums = select(*(func.coalesce(func.sum(calls.c.reserved).filter(mine), 0) for mine in columns))
    of_tier, of_endpoint, of_run = connection.execute(sums.where(_in_flight(now))).one()
    return int(of_tier), int(of_endpoint), int(of_run)


def _in_flight(now: int) -> ColumnElement[bool]:
    since = max(now - FLIGHT_MILLISECONDS, now // budget.DAY * budget.DAY)
    return and_(calls.c.state == CallState.RESERVED.value, calls.c.at >= since)
