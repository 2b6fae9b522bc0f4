"""`labelloop reviewers`: how people answer, and who is paused."""

from rich.console import Console
from rich.table import Table

from daemon.adapters.store.reviewers import ReviewerRoom
from daemon.core.errors import SetupProblem
from daemon.core.reviewer_rows import ReviewerRecord
from daemon.core.settings import MICROS
from daemon.core.states import PersonState
from daemon.wiring import accounts, parts
from daemon.wiring.config import Config
from labeling_functions.analysis import wilson


def show(config: Config) -> None:
    """Print everybody who ever enrolled."""
    database = parts.open_database(config)
    try:
        found = ReviewerRoom(database).reviewers()
    finally:
        database.close()
    table = Table(title="Reviewers", title_justify="left")
    for title in ("name", "tier", "state"):
        table.add_column(title)
    for title in ("answers", "seconds", "control questions right", config.currency):
        table.add_column(title, justify="right")
    for one in found:
        table.add_row(one.name, one.tier, _state(one), *_figures(one))
    Console().print(table)


def set_state(config: Config, name: str, tier: str | None, state: PersonState, reason: str) -> str:
    """Pause somebody or let them go on, in one tier or in all of theirs; what to tell.

    Raises:
        SetupProblem: nobody of this name reviews there.
    """
    database = parts.open_database(config)
    try:
        room = ReviewerRoom(database)
        found = [one for one in room.reviewers() if one.name == name and tier in (None, one.tier)]
        if not found:
            where = "" if tier is None else f" in tier {tier}"
            raise SetupProblem(f"nobody called {name!r} reviews{where}; see `labelloop reviewers list`")
        for one in found:
            room.set_state(one.id, state, reason, accounts.at_command_line())
    finally:
        database.close()
    done = "is paused in" if state == PersonState.PAUSED else "may go on in"
    return f"{name} {done} {', '.join(one.tier for one in found)}"


def _state(one: ReviewerRecord) -> str:
    state = f"{one.state}: {one.note}" if one.note else str(one.state)
    return "; ".join((state, *one.suspicions))


def _figures(one: ReviewerRecord) -> tuple[str, str, str, str]:
    right = "-"
    if one.controls:
        low, high = wilson(one.right, one.controls)
        right = f"{one.right} of {one.controls} ({low:.0%} to {high:.0%})"
    seconds = f"{one.seconds:.1f}" if one.seconds else "-"
    return f"{one.answers:,}", seconds, right, f"{one.micros / MICROS:,.2f}"
