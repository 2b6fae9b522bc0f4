"""The worker's second loop: answers are decided on, windows frozen and closed, the outbox published."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from daemon.core import metrics
from daemon.core.alarm_rows import CALM, DriftStanding
from daemon.core.bundles import BundleFollower
from daemon.core.decide import decide
from daemon.core.drift import audit_share
from daemon.core.errors import DutyLost, PublishFailed, Unaffordable
from daemon.core.evidence import of_stored
from daemon.core.grouping import groups_of_stored
from daemon.core.labels_out import UnsavedLabels
from daemon.core.ledger import is_suspended
from daemon.core.market import LOOK_SECONDS, MarketWatch
from daemon.core.messages import audit_composer, composer
from daemon.core.metrics import UNMETERED, Meter
from daemon.core.policy import Outputs, Policy
from daemon.core.ports import StreamStore, WindowStore
from daemon.core.publishing import FencedPublisher
from daemon.core.raising import lots_for, raised_to
from daemon.core.rows import Compose, Decision, Duty, OpenItem
from daemon.core.states import ItemState
from daemon.core.windows import WindowJudge, is_due, plan, voter_of
from daemon.core.wire import OutboxRow

log = logging.getLogger(__name__)

RECHECKS = 256
OUTBOX_ROWS = 64
DUTY_SECONDS = 10.0
RENEW_SECONDS = 3.0
TRY_SECONDS = 1.0
"""Between looks at whether a duty that somebody else holds is free."""
WINDOW_SECONDS = 0.5
REPORT_SECONDS = 1.0
BREATH_SECONDS = 0.1
"""Pause after a full load of rechecks: writers that wait for SQLite's one lock look again after so long."""
REST_WHILE_PRESSED = 19
"""Times as long as a load of another pass took: it then takes a twentieth of the time."""
HISTORY = 20
"""Closed windows whose audits plan the next one."""
AFFORD_SECONDS = 60.0
"""Pause after a window that the budget could not pay, or could not pay to release."""


@dataclass
class HeldDuty:
    """A duty that is renewed while it is wanted, and tried for again when somebody else has it."""

    store: StreamStore
    name: str
    holder: str
    seconds: float = DUTY_SECONDS
    duty: Duty | None = None
    _tried: float = -1e9

    def get(self) -> Duty | None:
        """The duty if this process holds it now; asks the database at most every few seconds."""
        if time.monotonic() - self._tried >= (RENEW_SECONDS if self.duty else TRY_SECONDS):
            self._take()
        return self.duty

    def still(self, duty: Duty) -> bool:
        """Ask the database now whether this is the duty that this process holds."""
        self._take()
        return self.duty == duty

    def _take(self) -> None:
        self._tried = time.monotonic()
        self.duty = self.store.take_duty(self.name, self.holder, self.seconds)

    def lost(self) -> None:
        """Forget it; the next look asks the database."""
        self.duty = None

    def pass_on(self) -> None:
        """Give it back, and look away for long enough that whoever else wants it has it by then."""
        self.drop()
        self._tried = time.monotonic() + TRY_SECONDS

    def drop(self) -> None:
        """Give it back so that others need not wait for it to run out."""
        if self.duty is not None:
            self.store.drop_duty(self.duty)
            self.duty = None


@dataclass
class PerMinute:
    """An allowance that is full again with every minute."""

    limit: int
    clock: Callable[[], float] = time.monotonic
    _minute: float = float("-inf")
    _taken: int = 0

    def left(self) -> int:
        """What may still be taken in this minute."""
        if self.clock() - self._minute >= 60:
            self._minute, self._taken = self.clock(), 0
        return self.limit - self._taken

    def take(self, count: int) -> None:
        """Use some of it up."""
        self._taken += count


@dataclass
class Desk:
    """Does what is due, again and again, until asked to stop.

    Attributes:
        wake: set by the stream worker after each batch, so that its messages go out at once.
        names, keys: function set id -> names and annotator keys of its columns.
        report: called about once a second with `corrected`.
        tidy: called often; does little at a time.
        accepted_from: as `decide` wants it.
        gold_wanted: how many more random blind questions are wanted before the models learn; where no more
            items come they are drawn from those that are stored.
        corrected: released labels that were taken back since this process started.
        drift: whether alarms are open, and since when the stream is another one.
        pressed: whether more items wait than the stream takes at once.
    """

    store: StreamStore
    windows: WindowStore
    publisher: FencedPublisher
    bundles: BundleFollower
    policy: Policy
    market: MarketWatch
    outputs: Outputs
    holder: str
    stop: threading.Event
    wake: threading.Event
    idle_seconds: float
    names: Callable[[int], Sequence[str]]
    keys: Callable[[int], Sequence[str]]
    report: Callable[[int], None] = lambda _: None
    tidy: Callable[[], None] = lambda: None
    accepted_from: Callable[[], float | None] = lambda: None
    gold_wanted: Callable[[], int] = lambda: 0
    corrected: int = 0
    drift: Callable[[], DriftStanding] = lambda: CALM
    pressed: Callable[[], bool] = lambda: False
    meter: Meter = UNMETERED
    _last: dict[str, float] = field(default_factory=dict)
    _afford_at: float = 0.0
    _release_at: float = 0.0
    _rested_at: float = 0.0
    _next_load_at: float = 0.0
    _suspended: bool = False
    _spent: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._labels = UnsavedLabels(self.meter)
        self._publishing = HeldDuty(self.store, "publishing", self.holder)
        self._closing = HeldDuty(self.store, "windows", self.holder)
        self._corrections = PerMinute(self.policy.routing.corrections_per_minute)

    def run(self) -> None:
        """Work until `stop` is set, then publish what is left and give the duties back."""
        while not self.stop.is_set():
            busy = self._rechecks_in_turn() + self.publish()
            if self._due("windows", WINDOW_SECONDS):
                self.tend_windows()
            if self._due("money", LOOK_SECONDS):
                self.look_elsewhere()
            if self._due("report", REPORT_SECONDS):
                self.report(self.corrected)
            self.tidy()
            if not busy:
                self.wake.wait(self.idle_seconds)
                self.wake.clear()
        while self.publish():
            pass
        self._publishing.drop()
        self._closing.drop()

    def answer_rechecks(self, answers_alone: bool = False) -> int:
        """Decide again on items with news. Number of items; 0 while the broker cannot say where they go."""
        self._labels.begin()
        try:
            done = self.store.work_rechecks(RECHECKS, self._decide, answers_alone)
        except PublishFailed as error:
            log.warning("answers wait for the broker: %s", error, extra={"action": "recheck_postponed"})
            return 0
        self.meter.add(metrics.RECHECKED_ITEMS, done)
        self._labels.saved()
        return done

    def _rechecks_in_turn(self) -> int:
        """As `answer_rechecks`, but after a full load rests as long as it worked, so that the stream goes on.

        While items wait for the stream, another pass goes on only much later, and answers alone are looked at
        meanwhile: it would hold database and processor against new items otherwise.
        """
        begun = time.monotonic()
        if begun < self._rested_at:
            return 0
        answers_alone = begun < self._next_load_at
        done = self.answer_rechecks(answers_alone)
        if done >= RECHECKS:
            now = time.monotonic()
            worked = max(now - begun, BREATH_SECONDS)
            self._rested_at = now + worked
            if self.pressed() and not answers_alone:
                self._next_load_at = now + REST_WHILE_PRESSED * worked
        return done

    def publish(self) -> int:
        """Send the oldest rows of the outbox, if this process has the duty. Number of rows."""
        duty = self._publishing.get()
        rows = self.store.outbox(OUTBOX_ROWS) if duty else []
        if duty is None or not rows:
            return 0
        try:
            if self.publisher.claim(duty.epoch):
                rows = self.store.outbox(OUTBOX_ROWS) if self._publishing.still(duty) else []
            if rows:
                self._send(duty, rows)
        except PublishFailed as error:
            log.warning("the broker did not take the messages: %s", error, extra={"action": "publish_failed"})
            # Perhaps it is this process alone that the broker refuses: its network, or its clock.
            self._publishing.pass_on()
            return 0
        except DutyLost:
            self._publishing.lost()
            return 0
        return len(rows)

    def _send(self, duty: Duty, rows: Sequence[OutboxRow]) -> None:
        self.publisher.send([message for row in rows for message in row.messages])
        for row in rows:
            self.meter.add(metrics.SENT_MESSAGES, len(row.messages), row.topic)
        self.store.published(duty, [row.seq for row in rows])

    def look_elsewhere(self) -> None:
        """Items that wait for a tier without money are asked of another one, where that is worth it.

        Only a tier that was not known to be without money is looked at, so that a new holder of the duty, or
        one that was started again, looks once at what it may have missed.
        """
        if self._closing.get() is None:
            self._spent = frozenset()
            return
        spent = self.market.under(self.bundles.current().bundle).spent
        for tier in sorted(spent - self._spent):
            log.warning("tier %s has no money left today", tier, extra={"action": "tier_spent"})
            self.store.look_elsewhere(tier)
        self._spent = spent

    def tend_windows(self) -> None:
        """Keep the ledger, close windows whose audits are in, freeze the next when it is due."""
        duty = self._closing.get()
        if duty is None:
            return
        try:
            self.windows.settle_ledger(duty, audit_composer(self.outputs))
            suspended = self._look_at_ledger()
            if time.monotonic() >= self._release_at:
                self._close_windows(duty)
            learned = self.bundles.current().id is not None
            if not learned:
                self.windows.top_up_gold(duty, self.gold_wanted())
            may_freeze = not suspended and time.monotonic() >= self._afford_at
            if may_freeze and is_due(self.windows.ready(), self.policy, learned):
                self._freeze(duty)
        except DutyLost:
            self._closing.lost()

    def _look_at_ledger(self) -> bool:
        """Whether automatic acceptance is suspended; says so when it begins and when it ends."""
        record = self.windows.ledger()
        suspended = is_suspended(record, self.policy.guarantee)
        if suspended and not self._suspended:
            log.error(
                "automatic acceptance is suspended: %d of %d audited labels that were released are wrong, "
                "too many for the target of %.1f %%. Mend the cause, then run `labelloop ledger restart`",
                record.found,
                record.audited,
                100 * self.policy.guarantee.target_error,
                extra={"action": "suspended"},
            )
        elif self._suspended and not suspended:
            log.info("automatic acceptance goes on", extra={"action": "resumed"})
        self._suspended = suspended
        return suspended

    def _close_windows(self, duty: Duty) -> None:
        judge = self._labels.judging(WindowJudge(self.policy, self.outputs, self.names))
        compose = audit_composer(self.outputs)
        for window in self.windows.open_windows():
            self._labels.begin()
            try:
                if self.windows.close(duty, window, judge, compose):
                    self._labels.saved()
                    self.meter.add(metrics.WINDOWS, 1, "closed")
                    log.info("window %d closed", window, extra={"action": "window_closed"})
            except Unaffordable:
                self._release_at = time.monotonic() + AFFORD_SECONDS
                log.warning(
                    "window %d stays open: today's budget of its tier cannot pay for audits of what it would "
                    "release; trying again in %.0f s",
                    window,
                    AFFORD_SECONDS,
                    extra={"action": "release_unaffordable"},
                )

    def _freeze(self, duty: Duty) -> None:
        history, drift = self.windows.closed_windows(HISTORY), self.drift()
        share = audit_share(self.policy, drift)
        window = self.windows.freeze(
            duty,
            self.policy.guarantee.window_items,
            lambda frozen: plan(frozen, history, self.policy, share, drift.since or 0),
            audit_composer(self.outputs),
        )
        if window is None:
            self._afford_at = time.monotonic() + AFFORD_SECONDS
            log.warning(
                "today's budget of tier %s cannot pay for a window's audits; trying again in %.0f s",
                self.policy.final_tier,
                AFFORD_SECONDS,
                extra={"action": "window_unaffordable"},
            )
        else:
            self.meter.add(metrics.WINDOWS, 1, "frozen")
            log.info("window %d frozen", window, extra={"action": "window_frozen"})

    def _decide(self, items: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        current = self.bundles.newest()
        evidence = of_stored(
            items,
            groups_of_stored(items),
            self.keys,
            current.bundle,
            self.policy.ladder,
            self.policy.final_tiers,
        )
        evidence = replace(
            evidence,
            raised=raised_to(items, self.policy.ladder, self.policy.tiers),
            lot=lots_for([item.id for item in items], self.policy.tiers),
        )
        decision = decide(
            evidence,
            self.policy,
            current.id,
            self.market.under(current.bundle),
            draws=np.array([item.drawn for item in items], np.bool_),
            accepted_from=self.accepted_from(),
            corrections=self._corrections.left(),
        )
        self._labels.decided(decision)
        self._tell_corrected(items, decision)
        compose = composer(decision, lambda row: voter_of(items[row], self.names), self.policy, self.outputs)
        return decision, compose

    def _tell_corrected(self, items: Sequence[OpenItem], decision: Decision) -> None:
        corrected = sum(
            item.state == ItemState.CERTIFIED and after == ItemState.READY
            for item, after in zip(items, decision.states, strict=True)
        )
        self._corrections.take(corrected)
        self.corrected += corrected
        self.meter.add(metrics.TAKEN_BACK, corrected)
        if corrected or decision.later:
            log.info(
                "%d released labels taken back by bundle %s, %d wait for their turn",
                corrected,
                decision.bundle,
                len(decision.later),
                extra={"action": "corrected"},
            )

    def _due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(what, -1e9) < seconds:
            return False
        self._last[what] = now
        return True
