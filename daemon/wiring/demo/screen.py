"""The demo's live picture in the terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from daemon.core.report_rows import Overview
from daemon.core.settings import MICROS

STATES = (
    ("certified", "green"),
    ("human", "cyan"),
    ("frozen", "blue"),
    ("ready", "yellow"),
    ("asking", "magenta"),
)
BAR = 60


def picture(
    overview: Overview, sent: int, total: int, seconds: float, addresses: Sequence[str], currency: str
) -> RenderableType:
    """One frame: progress of the stream, where items stand, people, money, models."""
    stored = sum(overview.states.values())
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", width=12)
    grid.add_column()
    grid.add_row("sent", _bar(sent, total))
    grid.add_row("labeled", _bar(stored, total))
    grid.add_row("items", _states(overview, max(total, 1)))
    grid.add_row("", _legend(overview))
    grid.add_row("people", _people(overview, currency))
    grid.add_row("windows", _windows(overview))
    grid.add_row("model", _model(overview))
    pages = Text("   ".join(addresses), style="underline")
    return Panel(Group(grid, Text(), pages), title=f"labelloop demo   {seconds:4.0f} s", title_align="left")


def _bar(done: int, total: int) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=max(total, 1), completed=done, width=BAR), Text(f"{done:,} of {total:,}"))
    return row


def _states(overview: Overview, total: int) -> Text:
    bar = Text()
    for state, color in STATES:
        bar.append("█" * round(BAR * overview.states.get(state, 0) / total), style=color)
    bar.append("░" * max(0, BAR - len(bar.plain)), style="dim")
    return bar


def _legend(overview: Overview) -> Text:
    legend = Text()
    for state, color in STATES:
        legend.append(f"{state} {overview.states.get(state, 0):,}  ", style=color)
    return legend


def _people(overview: Overview, currency: str) -> Text:
    waiting = sum(queue.open + queue.leased for queue in overview.queues)
    spent = sum(spending.spent for spending in overview.spending) / MICROS
    asked = sum(spending.answers for spending in overview.spending)
    return Text(f"{waiting:,} questions waiting   {asked:,} answered   {spent:,.2f} {currency}")


def _windows(overview: Overview) -> Text:
    passed = sum(window.tau is not None for window in overview.windows)
    if not overview.windows and not overview.open_windows:
        return Text(f"none yet; {overview.gold} random answers so far")
    return Text(
        f"{overview.open_windows} being audited   {passed} of {len(overview.windows)} closed ones certified"
    )


def _model(overview: Overview) -> Text:
    if overview.bundle is None:
        return Text("built-in priors, nothing learned yet")
    return Text(f"bundle {overview.bundle.id}   MLflow version {overview.bundle.mlflow_version or '-'}")
