"""Watching the stream for drift: each saved batch against what the current bundle learned from."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from daemon.core.alarm_rows import CALM, AlarmRecord, DriftStanding
from daemon.core.bundles import Current
from daemon.core.decide import first_gold
from daemon.core.pipeline import Labeled
from daemon.core.policy import Policy
from daemon.core.ports import AlarmStore, WindowStore
from daemon.core.rows import F4, I1
from daemon.core.settings import DriftSettings
from daemon.core.sparing import sampled
from models.arrays import F8
from models.bundles import AnyBundle
from models.drift.alarm import Alarm
from models.drift.change import adwin
from models.drift.monitor import DriftMonitor, MonitorSettings, classifier_agreement
from models.set_bundle import facet_key

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
AUDIT_SECONDS = 2.0
WINDOWS = 20
"""Closed windows that are looked at for audits at a time."""


@dataclass
class DriftWatch:
    """Feeds one monitor with what this process labels and what windows' audits found.

    A new bundle brings its own reference and a fresh monitor. Without a bundle nothing is watched. Windows
    that froze before the monitor began say nothing about its bundle: their audits are left out. One thread
    uses it.

    Where votes decide which items get a vector (`spares`), vectors and the classifier are watched on the
    sample that always gets one: which other items have one changes with every window's threshold.
    """

    alarms: AlarmStore
    windows: WindowStore
    settings: DriftSettings
    process: str
    keys: Sequence[str]
    """Annotator keys of the columns of the inline votes."""
    clock: Callable[[], float] = time.monotonic
    spares: bool = False
    _bundle: int | None = None
    _monitor: DriftMonitor | None = None
    _began_after: int = 0
    _fed: set[int] = field(default_factory=set)
    _audits_at: float = float("-inf")

    def __post_init__(self) -> None:
        if self.settings.enabled:
            adwin()  # now: that river is missing is said at the start, not at the first bundle

    def saved(self, labeled: Labeled, current: Current) -> None:
        """Take a batch that is stored, in its order; alarms are stored and logged."""
        arrivals, decision = labeled.arrivals, labeled.decision
        if arrivals is None or decision is None or current.id is None or not self.settings.enabled:
            return
        if current.id != self._bundle or self._monitor is None:
            self._begin(current, current.id)
        assert self._monitor is not None
        watched = sampled(arrivals.ids) if self.spares else np.ones(len(arrivals.inline), np.bool_)
        vectors = None
        if arrivals.vectors is not None and arrivals.encoder == current.bundle.encoder:
            vectors = arrivals.vectors[watched].astype(np.float32)
        agreement = None
        if decision.classifier is not None:
            agreement = _agreement(decision.classifier, arrivals.inline, len(current.bundle.parts))
            agreement[~watched] = np.nan
        raised = self._monitor.update(vectors, arrivals.inline, _keys(self.keys, current.bundle), agreement)
        raised += self._audited(self._monitor)
        if raised:
            self._tell(raised, current.id)

    def _begin(self, current: Current, bundle: int) -> None:
        settings = MonitorSettings(self.settings.delta, self.settings.alpha)
        parts = current.bundle.parts
        self._monitor = DriftMonitor(current.bundle.reference, settings, classes=parts[0].classes)
        self._bundle = bundle
        closed = [record.id for record in self.windows.closed_windows(1)]
        self._began_after = max([*closed, *self.windows.open_windows()], default=0)
        self._fed = set()

    def _audited(self, monitor: DriftMonitor) -> list[Alarm]:
        if self.clock() - self._audits_at < AUDIT_SECONDS:
            return []
        self._audits_at = self.clock()
        raised: list[Alarm] = []
        for record in reversed(self.windows.closed_windows(WINDOWS)):
            if record.id > self._began_after and record.id not in self._fed:
                self._fed.add(record.id)
                raised += monitor.audited((~record.wrong).astype(np.float64), record.scores)
        return raised

    def _tell(self, raised: Sequence[Alarm], bundle: int) -> None:
        for alarm in self.alarms.raise_alarms(self.process, bundle, raised):
            log.warning("drift (%s): %s", alarm.signal, alarm.detail, extra={"action": "drift_alarm"})


def _keys(keys: Sequence[str], bundle: AnyBundle) -> Sequence[str]:
    """Of the columns of inline votes; of a multilabel task those of one function stand side by side."""
    if len(bundle.parts) == 1:
        return keys
    return [facet_key(key, name) for key in keys for name in bundle.classes]


def _agreement(classifier: F4, inline: I1, n_facets: int) -> F8:
    """(n,) how often classifier and functions agree: the mean over the facets that both speak of."""
    each = [
        classifier_agreement(proba, inline[:, facet::n_facets])
        for facet, proba in enumerate(np.split(classifier, n_facets, axis=1))
    ]
    spoken = ~np.isnan(each)
    agreed = np.where(spoken, each, 0.0).sum(axis=0)
    number = spoken.sum(axis=0)
    return np.asarray(np.divide(agreed, number, out=np.full(len(number), np.nan), where=number > 0))


@dataclass
class DriftState:
    """Whether alarms are open, looked up about once a second. Two threads may share it."""

    alarms: AlarmStore
    settings: DriftSettings
    clock: Callable[[], float] = time.monotonic
    _known: tuple[float, DriftStanding] = (float("-inf"), CALM)

    def __call__(self) -> DriftStanding:
        """CALM where the stream is not watched."""
        if not self.settings.enabled:
            return CALM
        looked, standing = self._known
        now = self.clock()
        if now - looked >= LOOK_SECONDS:
            standing = self.alarms.standing()
            self._known = (now, standing)
        return standing


def gold_wanted(windows: WindowStore, rejected: int, standing: DriftStanding, policy: Policy) -> int:
    """Random blind answers still to be drawn: for the first bundle, and fresh ones in an alarm.

    `rejected` bundles were trained before the first that was promoted; 0 once there is one.
    """
    wanted = first_gold(policy.guarantee.cold_start_gold, rejected) - windows.gold_drawn()
    if standing.open:
        wanted = max(wanted, policy.drift.gold - windows.gold_drawn(standing.since))
    return wanted


def audit_share(policy: Policy, standing: DriftStanding) -> float:
    """The share of a window's items that is wanted for its audit while an alarm is open; 0 while none is."""
    if not standing.open:
        return 0.0
    return min(1.0, policy.guarantee.audit_share * policy.drift.audit_factor)


def alarm_state(alarm: AlarmRecord, fresh: int | None, settings: DriftSettings) -> str:
    """What an alarm waits for, or how it ended, in words."""
    if alarm.ended_at is None:
        return f"open: {min(fresh or 0, settings.gold)} of {settings.gold} fresh random answers are in"
    seconds = (alarm.ended_at - alarm.at) / 1000
    return f"ended after {seconds:,.0f} s by bundle {alarm.ended_by}"
