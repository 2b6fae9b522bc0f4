"""What pages show of drift: the alarms, and how far the open ones are from their end."""

from pydantic import BaseModel, Field

from daemon.core.alarm_rows import AlarmRecord
from daemon.core.drift import alarm_state
from daemon.core.report_rows import Overview
from daemon.core.settings import DriftSettings


class AlarmOut(BaseModel):
    """An alarm of one signal. Times in milliseconds since 1970, UTC."""

    id: int
    signal: str
    detail: str = Field(description="What changed, in words.")
    size: float = Field(description="How large the change is, from 0 to 1.")
    at: int
    item: int = Field(description="Number of items stored when it was raised.")
    times: int = Field(description="How often it was raised until it ended.")
    ended_at: int | None
    state: str = Field(description="What it waits for, or how it ended, in words.")


class DriftOut(BaseModel):
    """Whether the stream is still what the models learned from."""

    watching: bool = Field(description="The stream is compared with what the models learned from.")
    open: int = Field(description="Alarms that have not ended.")
    standing: str = Field(description="How it is, in words.")
    fresh: int | None = Field(description="Random answers on items after open alarms; null: none is open.")
    wanted: int = Field(description="How many of them the next training waits for.")
    alarms: list[AlarmOut] = Field(description="Newest first.")


def drift_out(overview: Overview, settings: DriftSettings) -> DriftOut:
    """The part of the overview that is about drift."""
    return DriftOut(
        watching=settings.enabled and overview.bundle is not None,
        open=sum(alarm.ended_at is None for alarm in overview.alarms),
        standing=_standing(overview, settings),
        fresh=overview.fresh,
        wanted=settings.gold,
        alarms=[_alarm(alarm, overview, settings) for alarm in overview.alarms],
    )


def _standing(overview: Overview, settings: DriftSettings) -> str:
    if not settings.enabled:
        return "The stream is not watched: drift.enabled is off."
    if overview.bundle is None:
        return "Nothing to compare with yet: no models are trained."
    signals = sorted(alarm.signal for alarm in overview.alarms if alarm.ended_at is None)
    if signals:
        return (
            f"The stream is no longer what the models learned from ({', '.join(signals)}). Windows that "
            f"freeze now are audited {settings.audit_factor:g} times as much, older audits are forgotten, "
            "fresh random answers are asked for, and the models train again when they are in."
        )
    if overview.alarms:
        return "The stream is what the models learned from since the last alarm."
    return "The stream is what the models learned from."


def _alarm(alarm: AlarmRecord, overview: Overview, settings: DriftSettings) -> AlarmOut:
    return AlarmOut(
        id=alarm.id,
        signal=alarm.signal,
        detail=alarm.detail,
        size=alarm.size,
        at=alarm.at,
        item=alarm.items,
        times=alarm.times,
        ended_at=alarm.ended_at,
        state=alarm_state(alarm, overview.fresh, settings),
    )
