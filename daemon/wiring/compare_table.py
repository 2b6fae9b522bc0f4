"""How `labelloop llm compare` shows ways of asking beside each other: a table, or plain values for JSON."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import isnan

from rich.table import Table

from daemon.core.call_plan import CONFIDENCE
from daemon.core.compare_variants import Compared


def plain(one: Compared) -> dict[str, object]:
    """All figures of one way of asking; None where there was nothing to measure."""
    figures = {**asdict(one), "agreement": one.agreement, "interval": one.judged.interval}
    return {
        name: None if isinstance(value, float) and isnan(value) else value for name, value in figures.items()
    }


def table_of(found: Mapping[str, Compared], currency: str) -> Table:
    """A column for each way of asking: names and figures stay whole on narrow terminals."""
    count = max(one.items for one in found.values())
    table = Table(title=f"Ways of asking, on {count} items that experts answered", title_justify="left")
    table.caption_justify = "left"
    table.caption = f"Intervals are at {CONFIDENCE:.0%} confidence; cost and seconds are of one round."
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    figures = _figures(currency)
    if any(one.items != count for one in found.values()):
        figures = {"items": lambda one: f"{one.items:,}", **figures}
    if any(not isnan(one.order_flips) for one in found.values()):
        figures |= JUDGED
    if any(not isnan(one.classes_right) for one in found.values()):
        figures["classes right"] = lambda one: _share(one.classes_right)
    for title, figure in figures.items():
        table.add_row(title, *(figure(one) for one in found.values()))
    return table


def _figures(currency: str) -> dict[str, Callable[[Compared], str]]:
    return {
        "answered": lambda one: f"{one.answered:.0%}",
        "agrees with experts": lambda one: _share(one.agreement),
        "  interval": _interval,
        "  Cohen's kappa": lambda one: _figure(one.kappa),
        "agrees with itself": lambda one: _share(one.itself),
        "calibration error": lambda one: _figure(one.calibration_error),
        "log-loss": lambda one: _figure(one.log_loss),
        f"{currency} per 1,000 items": lambda one: f"{1_000 * one.money:,.2f}",
        "seconds an item": lambda one: f"{one.seconds:.2f}",
    }


def _interval(one: Compared) -> str:
    if (interval := one.judged.interval) is None:
        return "-"
    return f"{interval[0]:.1%} to {interval[1]:.1%}"


def _share(value: float) -> str:
    return "-" if isnan(value) else f"{value:.1%}"


def _figure(value: float) -> str:
    return "-" if isnan(value) else f"{value:.2f}"


JUDGED: Mapping[str, Callable[[Compared], str]] = {
    "contradicts itself turned": lambda one: _share(one.order_flips),
    "  leans to the first": lambda one: _figure(one.position_bias),
}
"""Of judges that were asked in both orders: shares of pairs, and log-odds."""
