"""Where a running `labelloop up` keeps its embedded servers, for other processes on the same state folder."""

from pathlib import Path

BROKER, LANGUAGE_MODEL, MLFLOW = "bootstrap", "language-model", "mlflow-server"
"""Servers, and the files that hold their addresses."""


def write(state: Path, server: str, address: str) -> None:
    """Say where a server is."""
    (state / server).write_text(address)


def forget(state: Path) -> None:
    """All of them are about to stop."""
    for server in (BROKER, LANGUAGE_MODEL, MLFLOW):
        (state / server).unlink(missing_ok=True)


def read(state: Path, server: str) -> str | None:
    """Address of a server, None if no `up` runs it (or a killed one left nothing)."""
    try:
        return (state / server).read_text().strip()
    except FileNotFoundError:
        return None
