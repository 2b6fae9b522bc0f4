"""`labelloop ledger`: what audits of released labels found, and a new beginning when the cause is mended."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from daemon.adapters.store.ledger import LedgerRoom
from daemon.core.errors import SetupProblem
from daemon.core.ledger import standing, telling_since
from daemon.core.settings import GuaranteeSettings
from daemon.core.window_rows import LedgerRecord, LedgerStep
from daemon.wiring import parts
from daemon.wiring.config import Config


def show(config: Config) -> None:
    """Print the ledger and end."""
    database = parts.open_database(config)
    try:
        room = LedgerRoom(database)
        record, steps = room.record(), room.steps()
    finally:
        database.close()
    table = Table(title=_title(record), title_justify="left", show_header=False)
    for name, figure in _lines(record, steps, config.guarantee):
        table.add_row(name, figure)
    Console().print(table)


def restart(config: Config, reason: str) -> None:
    """Start a new ledger and say what follows.

    Raises:
        SetupProblem: the reason is empty.
    """
    database = parts.open_database(config)
    try:
        record = LedgerRoom(database).restart(reason)
    except ValueError as error:
        raise SetupProblem(str(error)) from error
    finally:
        database.close()
    Console().print(
        f"A new ledger begins after window {record.after_window}. Windows that are frozen now release "
        "nothing; their items go back."
    )


def _title(record: LedgerRecord) -> str:
    if record.since is None:
        return "Labels released so far"
    return f"Labels released since {_moment(record.since)} ({record.reason})"


def _lines(
    record: LedgerRecord, steps: list[LedgerStep], promise: GuaranteeSettings
) -> list[tuple[str, str]]:
    ledger = standing(record, promise)
    lines = [
        ("released", f"{record.released:,} in {_windows(record.windows)}"),
        ("audited again", f"{record.audited:,}"),
        ("found wrong", f"{record.found:,}"),
    ]
    if ledger is not None:
        lines += [
            ("wrong, at most", f"{ledger.bound:,} with {promise.confidence:.0%} confidence, at all times"),
            ("not found yet, at most", f"{ledger.remaining:,}"),
            ("their share, at most", f"{ledger.share:.2%}; the target is {promise.target_error:.2%}"),
        ]
    if record.waiting_windows:
        waiting = f"{record.waiting_released:,} released in {_windows(record.waiting_windows)}"
        lines.append(("not counted yet", f"{waiting}, {record.waiting_audits:,} audits open"))
    since = telling_since(steps, promise)
    told = "not yet" if since is None else f"since window {since.window}, closed {_moment(since.closed_at)}"
    suspended = ledger is not None and ledger.suspended
    return [*lines, ("can tell", told), ("acceptance", "suspended" if suspended else "goes on")]


def _windows(count: int) -> str:
    return "1 window" if count == 1 else f"{count:,} windows"


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"
