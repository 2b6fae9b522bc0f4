"""What a drift monitor says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alarm:
    """The stream is no longer what it was.

    Attributes:
        signal: `distance`, `symbols`, `agreement` or `audits`.
        detail: what changed, in plain words.
        seen: items that the monitor had been given when it noticed.
        size: how large the change is, from 0 (none) to 1; a difference of shares or of mean ranks.
    """

    signal: str
    detail: str
    seen: int
    size: float
