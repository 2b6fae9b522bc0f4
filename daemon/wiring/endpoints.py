"""Where a running `labelloop up` keeps its broker, for other commands on the same state folder."""

from pathlib import Path

FILE = "bootstrap"


def write(state: Path, bootstrap: str) -> None:
    """Say where the broker is."""
    (state / FILE).write_text(bootstrap)


def forget(state: Path) -> None:
    """The broker is about to stop."""
    (state / FILE).unlink(missing_ok=True)


def read(state: Path) -> str | None:
    """Address of the broker, None if no `up` runs (or a killed one left nothing)."""
    try:
        return (state / FILE).read_text().strip()
    except FileNotFoundError:
        return None
