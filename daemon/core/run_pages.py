"""Where people read training runs."""

from typing import Protocol


class RunPages(Protocol):
    """Pages of a server that keeps training runs (MLflow)."""

    def address(self, run: str) -> str | None:
        """Address of a run's page; None if there is no such run. Raises RegistryUnavailable."""
