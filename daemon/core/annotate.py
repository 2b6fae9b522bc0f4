"""The loop of `labelloop annotate`: questions of one tier are leased, asked of language models, answered.

A question is always in one of three places: in the queue, leased to this process, or ended. So nothing is
lost: what fails goes back into the queue, and what a crash leaves behind comes back when its lease runs out.

While the database is away nothing is asked. Answers that are there or on their way are paid for: they are
waited for, and kept until they can be saved. A process that has none ends, and one that is told to end tries
to save them for a while first.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from daemon.core.call_rows import ModelVote
from daemon.core.doubts import Doubts
from daemon.core.errors import CapReached, LeaseLost, PartAway
from daemon.core.patience import Patience
from daemon.core.ports import CallLedger, ModelQueue
from daemon.core.rows import Lease
from daemon.core.settings import MICROS
from labeling_functions.llm.chat_model import ChatFailure, ChatRefused, ChatUnknown
from labeling_functions.task import ABSTAIN

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Between looks for questions while there is nothing to do, and for the wish to stop."""

AWAY_SECONDS = 1.0
"""Between tries to reach a database that is away."""

REPORT_SECONDS = 5.0

FINISH_SECONDS = 6.0
"""Calls under way are waited for so long when the process is to end."""

SAVE_SECONDS = 12.0
"""While answers that are paid for wait to be saved it ends no earlier than after so long. A try that began
before may take 15 s more where the database is not heard of, and all has to be over within 30 s.
"""

EXPECTED = (CapReached, ChatFailure)
PASSING = (*EXPECTED, LeaseLost, PartAway)
"""What asking may come to without a fault in the program."""


class AskItems(Protocol):
    """One way of asking a language model about items."""

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> Sequence[ModelVote]:
        """What the model says about each, in order; what that costs is booked. Blocks; many threads call it.

        Raises CapReached if a cap does not allow the calls, or what `ChatModel.ask` raises.
        """


@dataclass(frozen=True, slots=True)
class Member:
    """A way of asking, as an annotator of the tier.

    Attributes:
        annotator: its id. name: for logs.
        ask: asks. batch: items that it is asked about at once.
    """

    annotator: int
    name: str
    ask: AskItems
    batch: int = 1


@dataclass(slots=True, eq=False)
class _Flight:
    """Leased questions that a thread is asking about, and in the end what came of it.

    Attributes:
        saved: so many of the votes are in the database.
    """

    member: Member
    leases: Sequence[Lease]
    votes: Sequence[ModelVote] = ()
    error: Exception | None = None
    saved: int = 0

    @property
    def questions(self) -> list[int]:
        return [lease.question for lease in self.leases]


@dataclass
class Tally:
    """What became of questions since the process started."""

    answered: int = 0
    passed: int = 0
    failed: int = 0
    late: int = 0
    micros: int = 0


@dataclass
class Annotator:
    """Answers the questions of one tier until asked to stop. For one thread, which starts others.

    Attributes:
        queue: where questions are leased. ledger: of calls; those that nobody finished are written off.
        tier: name. crew: who answers.
        concurrency: calls under way at once. lease_seconds: of each lease; it is renewed while one waits.
        stop: set when the process is to end.
        unsaved: questions whose replies are there and paid for, and wait in their threads to be saved.
        report: told how it goes, every few seconds.
        clock: seconds that never go back.
    """

    queue: ModelQueue
    ledger: CallLedger
    tier: str
    crew: Sequence[Member]
    concurrency: int
    lease_seconds: float
    stop: threading.Event
    report: Callable[[Mapping[str, object]], None]
    clock: Callable[[], float] = time.monotonic
    look_seconds: float = LOOK_SECONDS
    unsaved: Callable[[], Collection[int]] = tuple
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._done: queue.SimpleQueue[_Flight] = queue.SimpleQueue()
        self._landed: deque[_Flight] = deque()
        self._waits = False
        self._flying: dict[int, _Flight] = {}
        self._patience = Patience(self.clock)
        self._doubts = Doubts()
        self._turn = 0
        self._kept = self._told = float("-inf")

    def run(self) -> None:
        """Work until told to stop; then wait a little for calls under way, save what is paid for, and give
        the rest back.
        """
        try:
            while not self.stop.is_set():
                self._go_round()
            self._wait_for_calls()
        finally:
            self._tell_unsaved()
            self._give_all_back()

    def _go_round(self) -> None:
        try:
            self._keep()  # before others are leased: those that ran out would be leased once more
            self._take_off()
            self._land(self.look_seconds)
            self._tell_again()
            self._waits = False
        except PartAway as away:
            self._keep_what_is_paid(away)

    def _take_off(self) -> None:
        """Lease and ask, as long as calls may be made and there are questions."""
        self._turn += 1
        for place in range(len(self.crew)):
            member = self.crew[(self._turn + place) % len(self.crew)]
            free = self._patience.allowed(self.concurrency) - len(self._flying)
            if free <= 0:
                return
            wanted, last = free * member.batch, self._doubts.tried
            leases = self.queue.lease(member.annotator, self.tier, wanted, self.lease_seconds, last)
            for first in range(0, len(leases), member.batch):
                self._start(_Flight(member, leases[first : first + member.batch]))

    def _start(self, flight: _Flight) -> None:
        self._flying[flight.questions[0]] = flight
        # A daemon: a call that hangs must not keep the process from ending.
        threading.Thread(target=self._ask, args=(flight,), name="ask", daemon=True).start()

    def _ask(self, flight: _Flight) -> None:
        votes: Sequence[ModelVote] = ()
        error: Exception | None = None
        try:
            votes = flight.member.ask(flight.member.annotator, flight.leases)
        except Exception as failed:  # noqa: BLE001 - looked at, or raised again, by the loop's own thread
            error = failed
        self._done.put(_Flight(flight.member, flight.leases, votes, error))

    def _land(self, seconds: float) -> None:
        """Wait so long for something to be done, and deal with all that is."""
        self._collect(seconds)
        while self._landed:
            self._settle(self._landed[0])
            self._drop(self._landed.popleft())

    def _collect(self, seconds: float) -> None:
        """Wait so long for something to be done, and take all that is; it is dealt with afterwards."""
        try:
            self._landed.append(self._done.get(timeout=seconds))
            while True:
                self._landed.append(self._done.get_nowait())
        except queue.Empty:
            return

    def _keep_what_is_paid(self, away: PartAway) -> None:
        """The database is away. Raises that again where no answer is there or may come.

        Leases of calls that failed are left to run out.
        """
        if not self._waits:
            said = "what is paid for waits to be saved: %s"
            log.warning(said, away, extra={"action": "annotate_waits"})
        self._waits = True
        self._collect(AWAY_SECONDS)
        for flight in [one for one in self._landed if one.error is not None]:
            self._landed.remove(flight)
            if flight.error is not None and not isinstance(flight.error, PASSING):
                raise flight.error
            self._drop(flight)
        if not self._flying:
            raise away

    def _drop(self, flight: _Flight) -> None:
        self._flying.pop(flight.questions[0], None)

    def _settle(self, flight: _Flight) -> None:
        """Save what came of it; once more if the database went away meanwhile."""
        if flight.error is None:
            self._answer(flight)
        elif isinstance(flight.error, LeaseLost):
            self.queue.give_back(flight.leases)
            self.tally.late += 1
        elif isinstance(flight.error, EXPECTED):
            self._fail(flight, flight.error)
        else:
            raise flight.error

    def _answer(self, flight: _Flight) -> None:
        if self._patience.why:
            log.warning("tier %s is asked again", self.tier, extra={"action": "annotate_back"})
        self._patience.good()
        self._doubts.good()
        votes = list(zip(flight.leases, flight.votes, strict=True))
        for lease, vote in votes[flight.saved :]:
            self._doubts.forget(lease.question)
            try:
                if vote.label == ABSTAIN:
                    self._pass_on(flight.member, lease.question)
                else:
                    self.queue.answer(lease.question, flight.member.annotator, vote)
                    self.tally.answered += 1
            except LeaseLost:
                self.tally.late += 1
            flight.saved += 1
            self.tally.micros += vote.micros

    def _fail(self, flight: _Flight, error: Exception) -> None:
        """Back into the queue, and a rest; what is refused by itself, or failed too often, is passed on."""
        self.tally.failed += 1
        if self._patience.bad(error):
            log.warning("tier %s rests: %s", self.tier, error, extra={"action": "annotate_rests"})
        hopeless = {question for question in flight.questions if self._is_hopeless(question, error)}
        self.queue.give_back([lease for lease in flight.leases if lease.question not in hopeless])
        for question in hopeless:
            self._doubts.forget(question)
            try:
                self._pass_on(flight.member, question)
            except LeaseLost:
                self.tally.late += 1

    def _is_hopeless(self, question: int, error: Exception) -> bool:
        if not isinstance(error, ChatRefused | ChatUnknown):
            return False
        if isinstance(error, ChatRefused) and not self._patience.refuses_all:
            return True
        return self._doubts.failed(question)

    def _pass_on(self, member: Member, question: int) -> None:
        self.queue.pass_on(question, member.annotator)
        self.tally.passed += 1

    def _keep(self) -> None:
        """Renew leases well before they end, and write off calls that nobody waits for any more."""
        if self.clock() - self._kept < self.lease_seconds / 3:
            return
        self._kept = self.clock()
        for flight in self._flying.values():
            self.queue.extend(flight.leases, self.lease_seconds)
        self.ledger.expire()

    def tell(self) -> None:
        """Report how it goes."""
        self._told = self.clock()
        self.report(self._state())

    def _tell_again(self) -> None:
        if self.clock() - self._told >= REPORT_SECONDS:
            self.tell()

    def _state(self) -> dict[str, object]:
        return {
            "tier": self.tier,
            "doing": self._patience.why or "asking",
            "answered": self.tally.answered,
            "passed": self.tally.passed,
            "failed": self.tally.failed,
            "late": self.tally.late,
            "asking": len(self._flying),
            "spent": self.tally.micros / MICROS,
        }

    def _wait_for_calls(self) -> None:
        """Their answers are paid: they are worth a moment, and longer when they are there and not saved."""
        begun, owing = self.clock(), True
        while self._flying and self.clock() - begun < (SAVE_SECONDS if owing else FINISH_SECONDS):
            # Looked at before: a reply that is saved meanwhile is on its way here, as are those beside it.
            owing, under_way = self._is_owing(), len(self._flying)
            try:
                self._land(self.look_seconds)
            except PartAway as away:
                self._keep_what_is_paid(away)
            owing = owing or len(self._flying) < under_way

    def _is_owing(self) -> bool:
        return bool(self.unsaved() or self._answers_unsaved())

    def _answers_unsaved(self) -> list[int]:
        """Questions whose answers are there; their replies are saved."""
        landed = [flight for flight in self._landed if flight.error is None]
        return [question for flight in landed for question in flight.questions[flight.saved :]]

    def _tell_unsaved(self) -> None:
        replies, kept = sorted(self.unsaved()), sorted(self._answers_unsaved())
        if replies or kept:
            log.error(
                "tier %s ends with what is paid for unsaved: replies about questions %s, which are asked for "
                "and paid again; answers to questions %s, whose replies are kept until they are asked again",
                self.tier,
                replies or "none",
                kept or "none",
                extra={"action": "paid_unsaved"},
            )

    def _give_all_back(self) -> None:
        for flight in self._flying.values():
            self.queue.give_back(flight.leases)
        self._flying.clear()
