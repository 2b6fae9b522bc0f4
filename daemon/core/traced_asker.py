"""An asker whose calls can be read afterwards: each asking is a trace, linked from votes and ledger lines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from daemon.core.annotate import AskItems
from daemon.core.ask_variant import Chat
from daemon.core.call_rows import ModelVote
from daemon.core.errors import CapReached, LeaseLost
from daemon.core.paid_chat import About, Paid
from daemon.core.rows import Lease
from daemon.core.traces import Trace, TracedCall, TracedItem, TracedWay, TraceLog
from labeling_functions.label_space import LabelSpace
from labeling_functions.llm.chat_model import ChatRequest
from labeling_functions.task import ABSTAIN

MakeAsker = Callable[[Chat], AskItems]
"""The asker over a chat; whatever it asks goes through there."""


@dataclass(frozen=True, slots=True)
class TracedAsker:
    """`daemon.core.annotate.AskItems` that says where its calls can be read.

    Attributes:
        make: the asker itself. chat: what it asks.
        traces: where they are kept.
        way: how it asks. space: what labels the task has.
        clock: nanoseconds since 1970, UTC.
    """

    make: MakeAsker
    chat: Chat
    traces: TraceLog
    way: TracedWay
    space: LabelSpace
    clock: Callable[[], int] = time.time_ns

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        """As the asker itself; votes bear the trace's id, and a failure is a trace, too."""
        trace = self.traces.begin()
        if trace is None:
            return list(self.make(self.chat)(annotator, leases))
        calls = _Recording(self.chat, trace, self.clock)
        started = self.clock()
        votes: Sequence[ModelVote] = ()
        error = ""
        try:
            votes = self.make(calls)(annotator, leases)
        except Exception as failure:
            error = told(failure)
            raise
        finally:
            if calls.made:
                items = self._items(leases, votes)
                self.traces.keep(Trace(trace, self.way, items, calls.made, started, self.clock(), error))
        return [replace(vote, trace=trace if calls.made else None) for vote in votes]

    def _items(self, leases: Sequence[Lease], votes: Sequence[ModelVote]) -> list[TracedItem]:
        if not votes:
            return [TracedItem(lease.item, lease.question) for lease in leases]
        return [self._item(lease, vote) for lease, vote in zip(leases, votes, strict=True)]

    def _item(self, lease: Lease, vote: ModelVote) -> TracedItem:
        if vote.label == ABSTAIN:
            return TracedItem(lease.item, lease.question)
        said = vote.probabilities
        confidence = None if said is None else self.space.sureness(vote.label, said)
        return TracedItem(lease.item, lease.question, self.space.text(vote.label), confidence)


@dataclass(frozen=True, slots=True)
class _Recording:
    """A chat that writes down what is asked for one trace. For one thread."""

    chat: Chat
    trace: str
    clock: Callable[[], int]
    made: list[TracedCall] = field(default_factory=list)

    def ask(self, request: ChatRequest, about: About) -> Paid:
        """As the chat itself; what a cap or a lost lease kept from being sent is no call."""
        started = self.clock()
        try:
            paid = self.chat.ask(request, replace(about, trace=self.trace))
        except (CapReached, LeaseLost):
            raise
        except Exception as failure:
            self._note(request, None, about, started, told(failure))
            raise
        self._note(request, paid, about, started)
        return paid

    def _note(
        self, request: ChatRequest, paid: Paid | None, about: About, started: int, error: str = ""
    ) -> None:
        reply, micros = (None, 0) if paid is None else (paid.reply, paid.micros)
        self.made.append(TracedCall(request, reply, micros, about.repair, started, self.clock(), error))


def told(failure: Exception) -> str:
    """What went wrong, with its kind."""
    return f"{type(failure).__name__}: {failure}"
