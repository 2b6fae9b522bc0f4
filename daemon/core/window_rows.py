"""What windows are planned, judged and remembered by. n frozen items, t thresholds, a audits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.rows import F4, I1, Compose, Decision, OpenItem
from daemon.core.states import AuditProtocol
from models.guarantee.window import coin_shares

F8 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ready:
    """Items that wait for a window. `oldest_age` in seconds, 0 when there are none."""

    count: int
    oldest_age: float
    gold: int
    """Answers to random blind questions (gold and audit) so far."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a window is planned from: (n,) scores and (n, F) labels of the ready items."""

    ids: Sequence[str]
    scores: F4
    labels: I1


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """A window's terms; fixed before its seed is drawn.

    Attributes:
        p: probability of the coins of items at and above the last threshold. alpha, delta: the claim.
        lambdas: (t,) thresholds, strictly falling. start: index of the first one tested.
        tier, price, priority, deadline_seconds: of the audit questions.
        protocol: who audits. outgoing_p: probability of each released label's coin for the ledger; None for
            windows that were frozen before there was a ledger.
        rest: probability of the other items' coins; None for p.
        limits: (t,) errors that the test has to refute above each threshold, for a certificate about the
            labels that are published; None for windows of the first version, whose certificate is about
            everything above the threshold, and whose test uses no tie coin.
    """

    p: float
    alpha: float
    delta: float
    lambdas: NDArray[np.float64]
    start: int
    tier: str
    price: int
    priority: float
    deadline_seconds: float
    protocol: AuditProtocol = AuditProtocol.SINGLE
    outgoing_p: float | None = None
    rest: float | None = None
    limits: NDArray[np.int64] | None = None

    @property
    def designed(self) -> bool:
        """Whether `limits` were set."""
        return self.limits is not None

    def coins(self, scores: F4) -> F8:
        """(n,) probability of each frozen item's coin."""
        if self.rest is None:
            return np.full(len(scores), self.p)
        return coin_shares(scores, self.lambdas, self.p, self.rest)


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """Every label released since the ledger was started, as far as their audits are settled.

    Windows count in the order in which they closed, up to the first whose audits are still out: which
    windows count must not depend on what slow auditors are about to say.

    Attributes:
        after_window: windows up to this one count in an earlier ledger, or in none.
        since: when it was started, milliseconds since 1970, and why; None and "" for the first.
        windows, released, audited, found: settled windows with released labels, these labels, coins that
            picked one, and errors among the picked; audits that never came are among the errors.
        p: least probability of their coins; None while no window is settled.
        waiting_windows, waiting_released, waiting_audits: those that do not count yet, and open audits.
    """

    after_window: int = 0
    since: int | None = None
    reason: str = ""
    windows: int = 0
    released: int = 0
    audited: int = 0
    found: int = 0
    p: float | None = None
    waiting_windows: int = 0
    waiting_released: int = 0
    waiting_audits: int = 0


NOTHING_RELEASED = LedgerRecord()


@dataclass(frozen=True, slots=True)
class LedgerStep:
    """The ledger as it stood with this window as its last; `closed_at` in milliseconds since 1970, UTC."""

    window: int
    closed_at: int
    record: LedgerRecord


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A frozen window with its audits as they stand now.

    Attributes:
        items: current rows of the frozen items, in frozen order.
        scores, labels: as frozen, (n,) and (n, F).
        audited: (a,) indices into items, the coins' picks.
        audits: (a,) class that the audit found; `panel.UNANSWERED` while it has not, `panel.UNDECIDED`
            when three experts said three things.
        overdue: the deadline has passed.
        ledger: of the labels released before.
        tie: the tie coin in [0, 1); 1 for a test without it.
    """

    id: int
    plan: WindowPlan
    items: Sequence[OpenItem]
    scores: F4
    labels: I1
    audited: NDArray[np.int64]
    audits: NDArray[np.int64]
    overdue: bool
    ledger: LedgerRecord = NOTHING_RELEASED
    tie: float = 1.0


@dataclass(frozen=True, slots=True)
class Closing:
    """A window's verdict.

    Attributes:
        accepted, errors: (t,) A_j and k_j of the test. tau: threshold released under; None if none was.
        decision: one row a frozen item. `sent_back` rows go back to the router through a recheck.
        compose: the messages.
    """

    accepted: NDArray[np.int64]
    errors: NDArray[np.int64]
    tau: float | None
    decision: Decision
    sent_back: NDArray[np.bool_]
    compose: Compose


Judge = Callable[[OpenWindow], Closing | None]
"""Returns None while the window must wait for audits."""


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """A closed window, for planning the next and for pages.

    Attributes:
        scores, wrong: audited items' frozen scores (a,) and whether the audit called the label wrong (a,).
        p: probability of the coins where labels could be released; elsewhere they are rarer, so that the
            audited items are no even sample of the window.
        certified: number of labels released. closed_at, frozen_at: milliseconds since 1970, UTC.
    """

    id: int
    n: int
    p: float
    alpha: float
    delta: float
    tau: float | None
    certified: int
    scores: F4
    wrong: NDArray[np.bool_]
    closed_at: int
    frozen_at: int = 0
