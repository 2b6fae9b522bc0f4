"""What the insights page asks of the database."""

from typing import Protocol

from daemon.core.insight_rows import InsightRows


class InsightStore(Protocol):
    """Reads of bounded size, whatever the number of items."""

    def insight_rows(self) -> InsightRows:
        """Samples of votes, checked votes, audited windows and costs, of one transaction."""
