"""A plan as tables for a terminal."""

from collections.abc import Iterator

from rich.table import Table

from daemon.core.planning import Plan
from models.forecast import Forecast

NEVER = "-"
UNKNOWN = "unknown"


def tables(plan: Plan, currency: str) -> Iterator[Table]:
    """Everything of a plan."""
    yield _audits(plan)
    yield _windows(plan, currency)
    yield _experts(plan)
    yield _upkeep(plan, currency)


def forecast_table(plan: Plan, changed: Forecast, budget: str, per_day: float, currency: str) -> Table:
    """Today's budgets beside another."""
    today, audits = plan.today, f"{plan.upkeep.audit_money * per_day / 1_000:,.2f}"
    table = _table("What the budget would buy", "", "today", budget)
    rows = [
        ("labels right", f"{today.accuracy:.1%}", f"{changed.accuracy:.1%}"),
        ("certified", f"{today.certified:.1%}", f"{changed.certified:.1%}"),
        ("asked of people", f"{today.people:.1%}", f"{changed.people:.1%}"),
        (f"{currency} an item", f"{today.cost:.4f}", f"{changed.cost:.4f}"),
        (f"{currency} a day", f"{today.cost * per_day:,.2f}", f"{changed.cost * per_day:,.2f}"),
        (f"{currency} a day for audits, paid first", audits, audits),
        *(
            (
                f"answers of {name}, per 1,000 items",
                f"{1_000 * votes:,.0f}",
                f"{1_000 * changed.votes[name]:,.0f}",
            )
            for name, votes in today.votes.items()
        ),
    ]
    for row in rows:
        table.add_row(*row)
    table.caption = f"Expected by the posteriors of recent items; {per_day:,.0f} items a day."
    return table


def _audits(plan: Plan) -> Table:
    title = f"At most {plan.target_error:.1%} wrong at {plan.confidence:.0%} confidence"
    table = _table(title, "audits above the threshold", "")
    table.add_row("if none finds an error", f"{plan.least_audits:,}")
    if plan.error_seen is not None:
        seen = f"at the {plan.error_seen:.1%} found in the surer half of the audits so far"
        usual = "too near to the target" if plan.usual_audits is None else f"{plan.usual_audits:,}"
        table.add_row(seen, usual)
    table.add_row("items sure enough for a window", f"{plan.ready_share:.0%}")
    return table


def _windows(plan: Plan, currency: str) -> Table:
    columns = ("window", "chance", "released", "windows", "items", "audits", currency, "hours", "days")
    table = _table("Until the first certificate, by the size of windows", *columns)
    for one in plan.windows:
        expected = (one.windows, one.items, one.audits, one.money, one.hours)
        figures = [NEVER if value is None else _figure(value) for value in expected]
        days = (NEVER if one.windows is None else UNKNOWN) if one.days is None else _figure(one.days)
        table.add_row(f"{one.window_items:,}", f"{one.chance:.0%}", f"{one.share:.0%}", *figures, days)
    table.caption = f"{currency} and hours of audits and the cold start alone."
    if plan.windows and all(one.windows is None for one in plan.windows):
        table.caption = "No window can be expected to release anything."
    return table


def _experts(plan: Plan) -> Table:
    table = _table(f"What experts must be, with {plan.window_items:,} items", "right", "chance", "released")
    for one in plan.experts:
        table.add_row(f"{one.accuracy:.0%}", f"{one.chance:.0%}", f"{one.share:.0%}")
    return table


def _upkeep(plan: Plan, currency: str) -> Table:
    columns = ("audits", "ledger audits", "other answers", currency, "hours of people")
    table = _table("Per 1,000 items at the present settings", *columns)
    one = plan.upkeep
    table.add_row(
        f"{one.audits:,.0f}",
        f"{one.ledger_audits:,.1f}",
        f"{one.other_answers:,.0f}",
        f"{one.money:,.2f}",
        f"{one.hours:,.1f}",
    )
    return table


def _figure(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    return table
