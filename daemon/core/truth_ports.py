"""Labels that somebody vouches for: what control questions are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.core.account_rows import Actor


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """A label that is known to be right.

    `source`: who vouches for it; `at`: since when, milliseconds since 1970, UTC; `payload`: of its item, None
    while that has not come.
    """

    item: str
    label: int
    source: str
    at: int
    payload: bytes | None


class TruthStore(Protocol):
    """Where known labels are kept; each change is a line in the audit log."""

    def known_labels(self, limit: int) -> Sequence[KnownLabel]:
        """The newest."""

    def vouch(self, item: str, label: int, by: Actor) -> None:
        """Have this be the item's known label, whatever it was before; the item may still have to come."""

    def forget(self, item: str, by: Actor) -> bool:
        """Vouch for it no longer; False if nobody did."""
