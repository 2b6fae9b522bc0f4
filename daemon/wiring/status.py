"""`labelloop status`: where everything stands, from the database, in one screen."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from daemon.core.claims import asked_first, claims
from daemon.core.drift import alarm_state
from daemon.core.ledger import in_words
from daemon.core.report_rows import Overview
from daemon.core.settings import MICROS
from daemon.wiring import parts
from daemon.wiring.config import Config

STALE_SECONDS = 15.0


def main(config: Config) -> None:
    """Print the picture and end."""
    database = parts.open_database(config)
    try:
        overview = parts.reports(config, database).overview()
    finally:
        database.close()
    console = Console()
    for table in (
        _items(overview),
        _queues(overview),
        _money(overview, config),
        _annotators(overview),
        _judges(overview),
        _windows(overview),
        _ledger(overview, config),
        _unknown(overview, config),
        _drift(overview, config),
        _processes(overview),
        _problems(overview),
    ):
        if table.row_count:
            console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    return table


def _items(overview: Overview) -> Table:
    total = sum(overview.states.values())
    table = _table(f"{total:,} items", "state", "items", "share")
    for state, count in sorted(overview.states.items()):
        table.add_row(state, f"{count:,}", f"{count / total:.1%}")
    return table


def _queues(overview: Overview) -> Table:
    table = _table("Questions", "tier", "purpose", "open", "leased", "answered", "oldest")
    for queue in overview.queues:
        table.add_row(
            queue.tier,
            queue.purpose,
            f"{queue.open:,}",
            f"{queue.leased:,}",
            f"{queue.answered:,}",
            f"{queue.oldest_age:,.0f} s",
        )
    return table


def _money(overview: Overview, config: Config) -> Table:
    table = _table(f"Money, {config.currency}", "tier", "answers", "calls", "spent", "hours", "today", "of")
    for one in overview.spending:
        cap = "no limit" if one.today_cap is None else f"{one.today_cap / MICROS:,.2f}"
        lost = f" ({one.lost_calls:,} lost)" if one.lost_calls else ""
        table.add_row(
            one.tier,
            f"{one.answers:,}",
            f"{one.calls:,}{lost}" if one.calls else "",
            f"{one.spent / MICROS:,.2f}",
            f"{one.seconds / 3_600:,.1f}",
            f"{(one.today_spent + one.today_reserved) / MICROS:,.2f}",
            f"{cap}, reached: not asked" if one.reached else cap,
        )
    return table


def _annotators(overview: Overview) -> Table:
    """Right: where an expert answered the same item later."""
    table = _table("Annotators", "name", "version", "answers", "checked", "right", "95 % interval")
    for one in overview.annotators:
        right = one.accuracy
        table.add_row(
            one.name,
            one.version[:6],
            f"{one.answers:,}",
            f"{0 if right is None else right.answered:,}",
            "-" if right is None else f"{right.share:.1%}",
            "-" if right is None else f"{right.low:.1%} to {right.high:.1%}",
        )
    return table


def _judges(overview: Overview) -> Table:
    """Leaning: to what is read first, in log-odds; 0 is none, and the answers are averages of both orders."""
    table = _table(
        "Judges, asked in both orders", "name", "version", "pairs", "contradicted", "leaning", "95 % interval"
    )
    for one in overview.judges:
        low, high = one.interval
        table.add_row(
            one.name,
            one.version[:6],
            f"{one.pairs:,}",
            f"{one.flip_share:.1%}",
            f"{one.bias:+.2f}",
            f"{low:+.2f} to {high:+.2f}",
        )
    return table


def _windows(overview: Overview) -> Table:
    table = _table(
        "Closed windows", "window", "items", "audited", "wrong", "score from", "certified", "claim"
    )
    for window in overview.windows[:10]:
        table.add_row(
            str(window.id),
            f"{window.n:,}",
            f"{len(window.wrong):,}",
            f"{int(window.wrong.sum()):,}",
            "-" if window.tau is None else f"{window.tau:.3f}",
            f"{window.certified:,}",
            "none" if window.tau is None else f"<= {window.alpha:.1%} at {1 - window.delta:.0%}",
        )
    return table


def _ledger(overview: Overview, config: Config) -> Table:
    table = _table("Everything released so far", "")
    if overview.ledger.released or overview.ledger.waiting_released:
        table.add_row(in_words(overview.ledger, config.guarantee))
    return table


def _unknown(overview: Overview, config: Config) -> Table:
    table = Table(title="What is not known yet", title_justify="left")
    for name in ("about", "not known", "it takes"):
        table.add_column(name)
    for claim in claims(overview, config.guarantee, config.tiers, config.task.classes):
        if not claim.holds:
            table.add_row(claim.topic, claim.said, claim.needs)
    if first := asked_first(overview.queues):
        table.add_row("Questions", first, "")
    return table


def _drift(overview: Overview, config: Config) -> Table:
    table = _table("Drift alarms", "signal", "raised", "at item", "times", "what", "state")
    for alarm in overview.alarms[:10]:
        table.add_row(
            alarm.signal,
            f"{datetime.fromtimestamp(alarm.at / 1000, UTC):%Y-%m-%d %H:%M:%S}",
            f"{alarm.items:,}",
            str(alarm.times),
            alarm.detail,
            alarm_state(alarm, overview.fresh, config.drift),
        )
    return table


def _processes(overview: Overview) -> Table:
    table = _table("Processes", "name", "last heard of", "says")
    for process in overview.processes:
        stale = "  not answering?" if process.age > STALE_SECONDS else ""
        said = ", ".join(f"{key} {value}" for key, value in process.report.items() if key != "seconds")
        table.add_row(process.name, f"{process.age:.0f} s ago{stale}", said)
    return table


def _problems(overview: Overview) -> Table:
    table = _table("To look at", "what", "times")
    for reason, count in overview.dead_letters.items():
        table.add_row(f"dead letters: {reason}", f"{count:,}")
    if overview.outbox:
        table.add_row("transactions whose messages wait to be published", f"{overview.outbox:,}")
    if overview.rechecks:
        table.add_row("items that wait to be looked at again", f"{overview.rechecks:,}")
    for name, states in overview.webhooks.items():
        for state, count in sorted(states.items()):
            table.add_row(
                f"webhook {name}: events {'given up' if state == 'dead' else 'that wait'}", f"{count:,}"
            )
    for name, count in overview.function_failures.items():
        table.add_row(f"function {name} failed", f"{count:,}")
    return table
