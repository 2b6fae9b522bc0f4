"""The loop of a tier that is answered over Kafka: questions are held and told of, votes are taken."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.decoding import Rejected
from daemon.core.errors import FenceLost
from daemon.core.messages import dead_letter, held_question
from daemon.core.outside import LOST, REASONS, OutsideStore, OutsideVote, Verdict
from daemon.core.policy import Outputs
from daemon.core.ports import Source
from daemon.core.rows import Lease
from daemon.core.vote_decoding import decode_vote
from daemon.core.wire import Batch, OutMessage, Record
from labeling_functions.label_space import LabelSpace

HOLD_SECONDS = 0.5
REPORT_SECONDS = 5.0


@dataclass
class VoteTally:
    """What became of votes since the process started."""

    taken: int = 0
    repeated: int = 0
    refused: int = 0


@dataclass
class VoteStream:
    """Holds questions of one tier and takes votes until asked to stop; for one thread.

    Votes and the positions that they came from are one transaction, so that each is taken once.

    Attributes:
        source: topic `votes`. store: where questions and answers are. outputs: topics that are written.
        queue: annotator that holds the questions of `tier`.
        price: of an answer, in millionths. outstanding: questions held at once.
        lease_seconds: how long each is held. stop: set when the process is to end.
        report: told how it goes, every few seconds. clock: seconds that never go back.
    """

    source: Source
    store: OutsideStore
    space: LabelSpace
    outputs: Outputs
    queue: int
    tier: str
    price: int
    outstanding: int
    lease_seconds: float
    stop: threading.Event
    report: Callable[[Mapping[str, object]], None]
    clock: Callable[[], float] = time.monotonic
    tally: VoteTally = field(default_factory=VoteTally)
    _last: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Work until told to stop. What is held stays held: somebody may be answering it."""
        while not self.stop.is_set():
            self.turn()

    def turn(self) -> None:
        """Hold what there is room for, and take what has come."""
        if self._due("hold", HOLD_SECONDS):
            self.store.hold(self.queue, self.tier, self.outstanding, self.lease_seconds, self._announce)
        batch = self.source.poll()
        if batch.records:
            self._take(batch)
        if self._due("report", REPORT_SECONDS):
            self.tell()

    def tell(self) -> None:
        """Report how it goes."""
        tally = self.tally
        told = {"taken": tally.taken, "repeated": tally.repeated, "refused": tally.refused}
        self.report({"tier": self.tier, "doing": "taking votes", "answered": tally.taken, **told})

    def _take(self, batch: Batch) -> None:
        read = [decode_vote(record, self.space) for record in batch.records]
        votes = [one for one in read if isinstance(one, OutsideVote)]

        def refuse(verdicts: Sequence[Verdict]) -> list[OutMessage]:
            return [dead_letter(one, self.outputs) for one in refused(batch.records, read, verdicts)]

        try:
            verdicts = self.store.take(votes, batch.spans, refuse)
        except FenceLost:
            self.source.rewind()
            return
        self.source.saved(batch.spans)
        self.tally.taken += verdicts.count(Verdict.TAKEN)
        self.tally.repeated += verdicts.count(Verdict.REPEATED)
        self.tally.refused += len(refused(batch.records, read, verdicts))

    def _announce(self, leases: Sequence[Lease]) -> list[OutMessage]:
        return [held_question(lease, self.price, self.outputs) for lease in leases]

    def _due(self, what: str, seconds: float) -> bool:
        now = self.clock()
        if now - self._last.get(what, float("-inf")) < seconds:
            return False
        self._last[what] = now
        return True


def refused(
    records: Sequence[Record], read: Sequence[OutsideVote | Rejected], verdicts: Sequence[Verdict]
) -> list[Rejected]:
    """Records that can never be taken, with the reason, in order; `verdicts` are those of what is a vote."""
    found, coming = [], iter(verdicts)
    for record, one in zip(records, read, strict=True):
        if isinstance(one, Rejected):
            found.append(one)
        elif (verdict := next(coming)) in LOST:
            found.append(Rejected(record, verdict.value, REASONS[verdict]))
    return found
