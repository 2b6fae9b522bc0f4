"""Drift alarms as they are stored, and what follows from the open ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """An alarm of one signal, from its first raising to its end. Times in milliseconds since 1970, UTC.

    Attributes:
        at, last_at, times: first and last raised, and how often. items: stored when it was first raised.
        signal, detail, size: as the monitor first said it (models.drift.alarm).
        bundle: whose reference the stream was compared with.
        ended_at, ended_by: when, and the bundle that has learned of the change; None while it is open.
    """

    id: int
    at: int
    last_at: int
    times: int
    items: int
    signal: str
    detail: str
    size: float
    bundle: int | None
    ended_at: int | None
    ended_by: int | None


@dataclass(frozen=True, slots=True)
class DriftStanding:
    """Whether alarms are open, and since when the stream is another one.

    `since`: when the first of the open alarms was raised, or of those that ended last; None if there never
    was one. Milliseconds since 1970.
    """

    open: int = 0
    since: int | None = None


CALM = DriftStanding()
