"""Traces: what was asked of a language model about leased items, kept for people to read (MLflow)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from labeling_functions.llm.chat_model import ChatReply, ChatRequest


@dataclass(frozen=True, slots=True)
class TracedCall:
    """One call.

    Attributes:
        request: what was asked. reply: None if none came.
        micros: what it cost, in micro-units; 0 where the cache had the reply.
        repair: whether it asked again for an answer that could not be read.
        started, ended: nanoseconds since 1970, UTC, by the clock of this process.
        error: why there is no reply; empty if there is one.
    """

    request: ChatRequest
    reply: ChatReply | None
    micros: int
    repair: bool
    started: int
    ended: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class TracedItem:
    """An item that was asked about.

    Attributes:
        item, question: ids.
        label: what the model said, in words; None where it abstained, or failed.
        confidence: 0 to 1, as the model sees it, of a set in the class that it is least sure about; None if
            it did not say.
    """

    item: str
    question: int
    label: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class TracedWay:
    """The way of asking that calls belong to: annotator's name and version, its tier, and the endpoint."""

    name: str
    version: str
    tier: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One asking, with all its calls.

    Attributes:
        id: as `TraceLog.begin` gave it.
        way: how it was asked. items: about what.
        calls: at least one, in order.
        started, ended: as of calls.
        error: why there is no vote; empty if there is one.
    """

    id: str
    way: TracedWay
    items: Sequence[TracedItem]
    calls: Sequence[TracedCall]
    started: int
    ended: int
    error: str = ""


class TraceLog(Protocol):
    """Where traces are kept. Nothing here waits for a server, or fails: what cannot be kept is dropped.

    Many threads may begin and keep.
    """

    @property
    def dropped(self) -> int:
        """Traces that were kept here and will never be seen there."""

    def begin(self) -> str | None:
        """Id of a new trace; None if this asking is not one of the share that is kept."""

    def keep(self, trace: Trace) -> None:
        """Have it sent in the background."""

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most; what is left then is dropped. Nothing is kept afterwards."""


class TracePages(Protocol):
    """Where people read traces."""

    def address(self, trace: str) -> str | None:
        """Address of its page; None if there is no such trace, or not yet. Raises TracesUnavailable."""
