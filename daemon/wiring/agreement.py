"""`labelloop reviewers agreement`: how far people agree."""

import math

from rich.console import Console
from rich.table import Table

from daemon.adapters.store.given import AnswerRoom
from daemon.core.agreement import READ, by_tier
from daemon.core.agreement_rows import TierAgreement
from daemon.wiring import parts
from daemon.wiring.config import Config
from models.agreement import Agreement

FIGURES = ("items", "answers", "percent", "Fleiss' kappa", "alpha", "95 % interval")


def show(config: Config) -> None:
    """Print a table a tier; a sentence where no item has two answers of one tier."""
    database = parts.open_database(config)
    try:
        given = AnswerRoom(database).newest_answers(READ)
    finally:
        database.close()
    found = by_tier(given, config.task.classes)
    console = Console()
    if not found:
        console.print("No item has answers of two people of one tier; set `overlap` above 1.")
    for tier in found:
        console.print(_table(tier))


def _table(found: TierAgreement) -> Table:
    table = Table(title=f"Agreement in {found.tier}", title_justify="left")
    table.add_column("on")
    for title in FIGURES:
        table.add_column(title, justify="right")
    table.add_row("labels", *_figures(found.all), end_section=True)
    for name, of_class in found.by_class.items():
        table.add_row(name, *_figures(of_class))
    return table


def _figures(one: Agreement) -> tuple[str, ...]:
    interval = "-" if math.isnan(one.low) else f"{one.low:.2f} to {one.high:.2f}"
    percent = "-" if math.isnan(one.percent) else f"{one.percent:.1%}"
    return f"{one.items:,}", f"{one.votes:,}", percent, _text(one.fleiss), _text(one.alpha), interval


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
