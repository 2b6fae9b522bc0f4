"""What the dashboard tells of drift."""

from dataclasses import replace

from daemon.core.alarm_rows import AlarmRecord
from daemon.core.learning_rows import StoredBundle
from daemon.core.report_rows import NOTHING_YET
from daemon.core.settings import DriftSettings
from daemon.review.drift_view import drift_out

SETTINGS = DriftSettings(gold=40, audit_factor=2.0)
TRAINED = replace(NOTHING_YET, bundle=StoredBundle(2, "", b"", 0, None, None))
OPEN = AlarmRecord(2, 9_000, 9_500, 3, 1_234, "symbols", "a function fell silent", 0.4, 1, None, None)
OVER = replace(OPEN, id=1, signal="distance", at=1_000, ended_at=7_000, ended_by=2)


def test_nothing_is_watched_before_there_are_models_or_when_switched_off() -> None:
    untrained = drift_out(NOTHING_YET, SETTINGS)
    assert not untrained.watching
    assert "no models are trained" in untrained.standing
    off = drift_out(TRAINED, replace(SETTINGS, enabled=False))
    assert not off.watching
    assert "drift.enabled is off" in off.standing


def test_a_calm_stream_says_so() -> None:
    calm = drift_out(TRAINED, SETTINGS)
    assert (calm.watching, calm.open, calm.fresh, calm.alarms) == (True, 0, None, [])


def test_an_open_alarm_tells_what_follows_from_it_and_how_far_that_is() -> None:
    drift = drift_out(replace(TRAINED, alarms=[OPEN, OVER], fresh=12), SETTINGS)
    assert (drift.open, drift.fresh, drift.wanted) == (1, 12, 40)
    assert "(symbols)" in drift.standing
    assert "audited 2 times as much" in drift.standing
    first, second = drift.alarms
    assert (first.item, first.times, first.ended_at) == (1_234, 3, None)
    assert first.state == "open: 12 of 40 fresh random answers are in"
    assert second.state == "ended after 6 s by bundle 2"


def test_after_an_alarm_it_is_calm_again() -> None:
    drift = drift_out(replace(TRAINED, alarms=[OVER]), SETTINGS)
    assert drift.open == 0
    assert "since the last alarm" in drift.standing
