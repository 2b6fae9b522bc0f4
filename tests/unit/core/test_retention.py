"""The walk over old items: step by step, rest, begin anew; only with the duty."""

from dataclasses import dataclass, field

import pytest
from metrics_for_tests import Told

from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.core.desk import HeldDuty
from daemon.core.errors import DutyLost
from daemon.core.metrics import By
from daemon.core.retention import LOOKED_AT, REST_SECONDS, STEP_SECONDS, Kept, Retention, Walked
from daemon.core.rows import Duty

DUTY = Duty("retention", "me", 1)
KEPT = Kept(30, None)


@dataclass
class Store:
    """Two steps of old items, then none; the duty is ours while `ours`."""

    ours: bool = True
    lost: bool = False
    seen: list[tuple[Kept, Walked, int]] = field(default_factory=list)

    def take_duty(self, name: str, holder: str, seconds: float) -> Duty | None:
        return DUTY if self.ours else None

    def remove_old(self, duty: Duty, kept: Kept, after: Walked, limit: int) -> Walked | None:
        if self.lost:
            raise DutyLost("somebody else has it")
        self.seen.append((kept, after, limit))
        return Walked(after.arrived + 1, "x", 3) if after.arrived < 1 else None


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def retention(store: Store, clock: Clock, meter: PrometheusMeter) -> Retention:
    return Retention(store, HeldDuty(store, "retention", "me"), KEPT, meter, clock)  # type: ignore[arg-type]


def test_it_walks_step_by_step_rests_and_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    store, clock, meter = Store(), Clock(), PrometheusMeter(By.RUN)
    one = retention(store, clock, meter)
    caplog.set_level("INFO")
    for seconds in (STEP_SECONDS / 2, STEP_SECONDS / 2, STEP_SECONDS, REST_SECONDS / 2, REST_SECONDS / 2):
        one.tend()
        clock.now += seconds
    one.tend()
    begin, second, third = Walked(), Walked(0, "x", 3), Walked(1, "x", 3)
    assert store.seen == [(KEPT, at, LOOKED_AT) for at in (begin, second, third, begin)]
    assert Told(meter.expose("")[0].decode()).get("labelloop_removed_items_total") == 9
    assert [record.getMessage() for record in caplog.records if "removed" in record.getMessage()] == [
        "removed 6 items that are old and that nobody was asked about"
    ]


def test_nothing_is_done_without_the_duty() -> None:
    store, clock = Store(ours=False), Clock()
    retention(store, clock, PrometheusMeter(By.RUN)).tend()
    assert store.seen == []


def test_a_lost_duty_is_asked_for_again() -> None:
    store, clock = Store(lost=True), Clock()
    one = retention(store, clock, PrometheusMeter(By.RUN))
    one.tend()
    assert one.duty.duty is None
    store.lost = False
    one.duty._tried = -1e9  # the look that is due later
    one.tend()
    assert len(store.seen) == 1
