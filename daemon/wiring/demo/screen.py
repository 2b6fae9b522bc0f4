"""The demo's live picture in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from daemon.core.drift import alarm_state
from daemon.core.report_rows import Overview
from daemon.core.settings import MICROS, DriftSettings

STATES = (
    ("certified", "green"),
    ("human", "cyan"),
    ("frozen", "blue"),
    ("ready", "yellow"),
    ("asking", "magenta"),
)
BAR = 60
HEIGHTS = "▁▂▃▄▅▆▇█"
WINDOWS_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Streaming:
    """How far the demo is: messages sent of all, since when, and where the pages are."""

    sent: int
    total: int
    seconds: float
    addresses: Sequence[str]


def picture(overview: Overview, stream: Streaming, currency: str, drift: DriftSettings) -> RenderableType:
    """One frame: progress of the stream, where items stand, people, money, drift, models."""
    stored = sum(overview.states.values())
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", width=12)
    grid.add_column()
    grid.add_row("sent", _bar(stream.sent, stream.total))
    grid.add_row("labeled", _bar(stored, stream.total))
    grid.add_row("items", _states(overview, max(stream.total, 1)))
    grid.add_row("", _legend(overview))
    grid.add_row("people", _people(overview, currency))
    grid.add_row("windows", _windows(overview))
    grid.add_row("", _released(overview))
    grid.add_row("drift", _drift(overview, drift))
    grid.add_row("model", _model(overview))
    pages = Text("   ".join(stream.addresses), style="underline")
    return Panel(
        Group(grid, Text(), pages), title=f"labelloop demo   {stream.seconds:4.0f} s", title_align="left"
    )


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


def _released(overview: Overview) -> Text:
    """The share that each window released, oldest first, with a mark where an alarm was raised."""
    line = Text()
    raised = sorted(alarm.at for alarm in overview.alarms)
    for record in reversed(overview.windows[:WINDOWS_SHOWN]):
        if raised and raised[0] < record.frozen_at:
            line.append("!", style="bold red")
            raised = [at for at in raised if at >= record.frozen_at]
        share = record.certified / record.n
        line.append(HEIGHTS[min(int(share * len(HEIGHTS)), len(HEIGHTS) - 1)], style="green")
    if raised:
        line.append("!", style="bold red")
    if line.plain:
        line.append("  share certified, window by window; ! is a drift alarm", style="dim")
    return line


def _drift(overview: Overview, drift: DriftSettings) -> Text:
    alarms = [alarm for alarm in overview.alarms if alarm.ended_at is None]
    if alarms:
        signals = ", ".join(sorted(alarm.signal for alarm in alarms))
        what = f"ALARM ({signals})   {alarm_state(alarms[0], overview.fresh, drift)}"
        return Text(what, style="bold red")
    if overview.alarms:
        last = overview.alarms[0]
        return Text(f"calm again: {last.signal} alarm {alarm_state(last, None, drift)}", style="green")
    return Text("none", style="dim")


def _model(overview: Overview) -> Text:
    if overview.bundle is None:
        return Text("built-in priors, nothing learned yet")
    return Text(f"bundle {overview.bundle.id}   MLflow version {overview.bundle.mlflow_version or '-'}")
