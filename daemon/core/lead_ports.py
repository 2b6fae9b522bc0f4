"""What the lead's page asks of the outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from daemon.core.lead_rows import LeadRows
from models.forecast import Forecast


class LeadStore(Protocol):
    """Reads for whoever looks after reviewers."""

    def lead_rows(self) -> LeadRows:
        """Paces, reviewers and disagreements, of one transaction."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What budgets would do.

    Attributes:
        per_day: items that come in a day; None if nobody knows, and then there is no forecast.
        audits_per_day: currency a day for audits, which are paid first whatever the budgets.
        forecast: of the budgets; None where `per_day` is.
        guesses: what rests on no figure, in words.
    """

    per_day: float | None
    audits_per_day: float
    forecast: Forecast | None
    guesses: tuple[str, ...]


class Planner(Protocol):
    """Plays budgets through on recent items."""

    def what_if(self, budgets: Mapping[str, float | None], items_per_day: float | None = None) -> WhatIf:
        """What these daily budgets would do.

        Args:
            budgets: tier -> currency a day, None or absent for no limit.
            items_per_day: that share them; as many as came lately unless given.
        """
