"""The loop of a tier whose people answer in another program: hold, show, take, withdraw."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from daemon.core.outside import LOST, OutsideQueue, OutsideStore, OutsideUnavailable, OutsideVote, Verdict
from daemon.core.patience import RESTING

log = logging.getLogger(__name__)

OFFERED_AT_ONCE = 50
"""Questions in one call, so that one outage leaves little to be found again."""

MOST_REST = 60.0
"""Seconds that an outage makes the loop rest, at most; the rest doubles with each try."""


@dataclass
class OutsideTally:
    """What became of answers since the process started."""

    taken: int = 0
    refused: int = 0
    unread: int = 0
    shown: int = 0


@dataclass
class OutsideLoop:
    """Serves one tier until asked to stop. For one thread, and one process at a time.

    Attributes:
        outside: where people answer. store: where questions and answers are.
        queue: annotator that holds the questions of `tier`.
        outstanding: questions held at once. lease_seconds: how long each is held.
        poll_seconds: between looks. working: whether this process is the one that may work now.
        stop: set when the process is to end. report: told how it goes, at every turn.
    """

    outside: OutsideQueue
    store: OutsideStore
    queue: int
    tier: str
    outstanding: int
    lease_seconds: float
    poll_seconds: float
    working: Callable[[], bool]
    stop: threading.Event
    report: Callable[[Mapping[str, object]], None]
    tally: OutsideTally = field(default_factory=OutsideTally)
    _refused: set[str] = field(default_factory=set)
    _failures: int = 0

    def run(self) -> None:
        """Work until told to stop. What is shown stays: somebody may be answering it."""
        while not self.stop.is_set():
            self.stop.wait(self._step())

    def _step(self) -> float:
        """One turn; seconds until the next."""
        if not self.working():
            self._tell("waiting: another process serves this tier")
            return self.poll_seconds
        started = time.monotonic()
        try:
            self.turn()
        except OutsideUnavailable as error:
            self._failures += 1
            log.warning("tier %s rests: %s", self.tier, error, extra={"action": "outside_rests"})
            self._tell(f"{RESTING}{error}")
            return min(MOST_REST, self.poll_seconds * 2.0 ** min(self._failures, 10))
        self._failures = 0
        self._tell("asking")
        return max(0.0, self.poll_seconds - (time.monotonic() - started))

    def turn(self) -> None:
        """Take what was answered, hold what there is room for, and show what is held, nothing else."""
        look = self.outside.look()
        self.tally.unread = look.unread
        if look.votes:
            self._take(look.votes)
        self.outside.keep_out(self.store.paused(self.tier))
        self.store.hold(self.queue, self.tier, self.outstanding, self.lease_seconds)
        held = self.store.held(self.queue)
        wanted = {lease.question for lease in held}
        if gone := sorted(look.shown - wanted):
            self.outside.withdraw(gone)
        new = [lease for lease in held if lease.question not in look.shown]
        for first in range(0, len(new), OFFERED_AT_ONCE):
            if self.stop.is_set() or not self.working():
                return
            some = new[first : first + OFFERED_AT_ONCE]
            self.outside.offer(some, self.store.answered_by([lease.item for lease in some]))
        self.tally.shown = len(wanted)

    def _take(self, votes: tuple[OutsideVote, ...]) -> None:
        verdicts = self.store.take(votes)
        self.tally.taken += verdicts.count(Verdict.TAKEN)
        for vote, verdict in zip(votes, verdicts, strict=True):
            key = str(vote.external)
            if verdict in LOST and key not in self._refused:
                self._refused.add(key)
                self.tally.refused += 1
                log.info(
                    "an answer of %s to question %d is not taken: %s",
                    vote.annotator,
                    vote.question,
                    verdict.value,
                    extra={"action": "outside_refused"},
                )
        self.outside.settle(list(zip(votes, verdicts, strict=True)))

    def _tell(self, doing: str) -> None:
        tally = self.tally
        told = {"answered": tally.taken, "refused": tally.refused, "unread": tally.unread}
        self.report({"tier": self.tier, "doing": doing, "shown": tally.shown, **told})
