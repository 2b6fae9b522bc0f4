"""What the ledger of released labels says, and what follows from it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.core.alarm_rows import CALM, DriftStanding
from daemon.core.ports import WindowStore
from daemon.core.settings import GuaranteeSettings
from daemon.core.window_rows import LedgerRecord, LedgerStep, OpenWindow
from models.guarantee.outgoing import Ledger

LOOK_SECONDS = 1.0


def standing(record: LedgerRecord, promise: GuaranteeSettings) -> Ledger | None:
    """The bound on wrong labels among all that were released; None before the first audits are settled.

    Where the coins' probability was changed on the way, the least one is taken: the bound grows when p
    falls, so that it holds for all of them.
    """
    if record.p is None:
        return None
    return Ledger(
        released=record.released,
        found=record.found,
        p=record.p,
        delta=1 - promise.confidence,
        alpha=promise.target_error,
    )


def is_suspended(record: LedgerRecord, promise: GuaranteeSettings) -> bool:
    """Whether nothing may be released: too much of what was released proves wrong."""
    ledger = standing(record, promise)
    return ledger is not None and ledger.suspended


def telling_since(steps: Sequence[LedgerStep], promise: GuaranteeSettings) -> LedgerStep | None:
    """The window with which enough was released for the ledger to tell; None while it cannot."""
    for step in steps:
        ledger = standing(step.record, promise)
        if ledger is not None and ledger.telling:
            return step
    return None


def in_words(record: LedgerRecord, promise: GuaranteeSettings) -> str:
    """What the ledger says, in a sentence."""
    ledger = standing(record, promise)
    if ledger is None:
        return "Of released labels none has been audited again so far."
    seen = (
        f"Of {record.released:,} released labels {_were(record.audited)} audited again and "
        f"{_were(record.found)} wrong: with {promise.confidence:.0%} confidence "
        f"at most {ledger.remaining:,} others ({ledger.share:.1%}) are."
    )
    if ledger.suspended:
        return f"Automatic acceptance is suspended. {seen}"
    return seen if ledger.telling else f"{seen} It takes more of them to hold this against the target."


def _were(count: int) -> str:
    return "none was" if count == 0 else "1 was" if count == 1 else f"{count:,} were"


def is_withheld(window: OpenWindow, promise: GuaranteeSettings) -> bool:
    """Whether this window must not release anything, whatever its audits say.

    A window that froze before the ledger was started anew belongs to what made that necessary, and its
    labels would count in no ledger.
    """
    return window.id <= window.ledger.after_window or is_suspended(window.ledger, promise)


@dataclass
class AcceptedFrom:
    """The score from which labels go out before their window closes, looked up about once a second.

    It is the threshold of the window that closed last: with a setting of `accepted`, what this window would
    not have released waits. While a drift alarm is open everything waits, and windows that froze before the
    alarm tell nothing of the stream after it. Two threads may share it.
    """

    windows: WindowStore
    promise: GuaranteeSettings
    drift: Callable[[], DriftStanding] = lambda: CALM
    clock: Callable[[], float] = time.monotonic
    _known: tuple[float, float] = (float("-inf"), float("inf"))

    def __call__(self) -> float | None:
        """Infinity while nothing may go out; None where the setting is another one."""
        return self.threshold() if self.promise.provisional == "accepted" else None

    def threshold(self) -> float:
        """From which the last closed window released, whatever the setting; infinity while nothing may go."""
        looked, score = self._known
        now = self.clock()
        if now - looked >= LOOK_SECONDS:
            score = self._look()
            self._known = (now, score)
        return score

    def _look(self) -> float:
        drift = self.drift()
        if drift.open:
            return float("inf")
        tau = self.windows.last_threshold(drift.since)
        if tau is None or is_suspended(self.windows.ledger(), self.promise):
            return float("inf")
        return tau
