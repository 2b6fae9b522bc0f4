"""A language model whose every call is in the ledger before it is made, and whose answers are kept."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import msgspec

from daemon.core.call_rows import Call, CallBill
from daemon.core.errors import CapReached, PartAway
from daemon.core.ports import CallLedger, ReplyCache
from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatDown,
    ChatModel,
    ChatRefused,
    ChatReply,
    ChatRequest,
    ChatStoodStill,
)
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import longest, price

log = logging.getLogger(__name__)

SLACK_SECONDS = 600.0
"""A call waits for its turn and is tried again before it fails: nobody writes it off earlier than that."""

TRIES = 6

_reply = msgspec.json.Decoder(ChatReply)

NOT_BILLED = (ChatRefused, ChatBusy, ChatStoodStill, ChatDown)

AGAIN_SECONDS = 1.0
"""Between tries to save what a call came to while the database is away."""

Wait = Callable[[float], object]
"""Blocks for so many seconds; true if nothing is to be tried again."""


def at_once(_seconds: float) -> bool:
    """A `Wait` that never waits: what cannot be saved now is not saved."""
    return True


@dataclass(frozen=True, slots=True)
class About:
    """What a call is made for.

    Attributes:
        annotator, question, item: ids; None where it is for several.
        leases: question and attempt of each lease that it is made under.
        repair: whether it asks again for an answer that could not be read.
        trace: id of the trace that it belongs to, if it is traced.
        asking: question and item of each that it asks about, where the same call may have another prompt when
            it is made again: its reply is found by these, too. Empty where the prompt alone tells.
        place: which of the calls about these it is.
    """

    annotator: int | None = None
    question: int | None = None
    item: str | None = None
    leases: tuple[tuple[int, int], ...] = ()
    repair: bool = False
    trace: str | None = None
    asking: tuple[tuple[int, str], ...] = ()
    place: int = 0


class Unsaved:
    """Questions whose replies are paid for and not in the database yet. For many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[About] = []

    @contextmanager
    def holding(self, about: About) -> Iterator[None]:
        """A reply is there, and is being saved meanwhile."""
        with self._lock:
            self._held.append(about)
        try:
            yield
        finally:
            with self._lock:
                self._held.remove(about)

    def questions(self) -> frozenset[int]:
        """Those whose replies wait at this moment."""
        with self._lock:
            return frozenset(question for about in self._held for question, _ in about.leases)


@dataclass(frozen=True, slots=True)
class Paid:
    """A reply, and what it cost in micro-units: 0 if the cache had it."""

    reply: ChatReply
    micros: int


@dataclass(frozen=True, slots=True)
class PaidChat:
    """One endpoint, asked for one tier by one run.

    Attributes:
        model: asks the endpoint; whatever it tries again was not billed.
        ledger, cache: where calls and answers are kept.
        name: of the endpoint. endpoint: what it charges.
        tier, run: whose caps the calls meet.
        wait: between tries to save what was paid for, while the database is away.
        unsaved: told what waits to be saved.
    """

    model: ChatModel
    ledger: CallLedger
    cache: ReplyCache
    name: str
    endpoint: EndpointSettings
    tier: str
    run: str
    wait: Wait = at_once
    unsaved: Unsaved = field(default_factory=Unsaved)

    def ask(self, request: ChatRequest, about: About) -> Paid:
        """The reply, from the cache if it is there.

        Raises:
            CapReached: a cap does not reach for the longest answer; nothing was sent.
            LeaseLost: somebody else was given a question meanwhile; nothing was sent.
            PartAway: the database is away; nothing was sent, or waiting was given up.
            ChatRefused, ChatBusy, ChatStoodStill, ChatDown, ChatUnknown: as `ChatModel.ask`; nothing of it is
                kept.
        """
        keys = _keys(self.endpoint.base_url, request, about)
        if (known := self._known(keys)) is not None:
            self.ledger.hit(self._call(0, about), CallBill(0, known.tokens_in, known.tokens_out, 0.0))
            return Paid(replace(known, cached=True), 0)
        line = self.ledger.reserve(self._call(longest(request, self.endpoint), about))
        if line is None:
            raise CapReached(f"a budget of tier {self.tier!r} does not reach for one more call")
        reply = self._ask(request, line)
        micros = price(reply.tokens_in, reply.tokens_out, self.endpoint)
        bill = CallBill(micros, reply.tokens_in, reply.tokens_out, reply.seconds)
        kept = msgspec.json.encode(reply)
        with self.unsaved.holding(about):
            # The answer first: what has no line is written off in time, what is not kept is paid for again.
            for key in keys:
                self._save(partial(self.cache.put, key, kept))
            self._save(lambda: self.ledger.settle(line, bill))
        return Paid(reply, micros)

    def _known(self, keys: tuple[str, ...]) -> ChatReply | None:
        replies = (_read(self.cache.get(key)) for key in keys)
        return next((reply for reply in replies if reply is not None), None)

    def _ask(self, request: ChatRequest, line: int) -> ChatReply:
        try:
            return self.model.ask(request)
        except NOT_BILLED:
            self._save(lambda: self.ledger.release(line))
            raise
        except BaseException:
            self._save(lambda: self.ledger.lost(line))
            raise

    def _save(self, write: Callable[[], None]) -> None:
        """Write what a call came to, again and again while the database is away: nobody else knows it.

        Each write may be made twice: what was being committed when the server went may be there or not.
        """
        told = False
        while True:
            try:
                return write()
            except PartAway as away:
                if not told:
                    log.warning("a call's outcome waits: %s", away, extra={"action": "call_waits"})
                told = True
                if self.wait(AGAIN_SECONDS):
                    raise

    def _call(self, micros: int, about: About) -> Call:
        return Call(
            tier=self.tier,
            endpoint=self.name,
            run=self.run,
            micros=micros,
            seconds=self.endpoint.timeout_seconds * TRIES + SLACK_SECONDS,
            annotator=about.annotator,
            question=about.question,
            item=about.item,
            leases=about.leases,
            trace=about.trace,
        )


def cache_key(base_url: str | None, request: ChatRequest) -> str:
    """Hash of everything that shapes the answer: where it is asked, model, parameters and prompt."""
    whole: Mapping[str, Any] = {"base_url": base_url, **asdict(request)}
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()


def _keys(base_url: str | None, request: ChatRequest, about: About) -> tuple[str, ...]:
    """What the reply is kept under, and looked for, the surest first."""
    key = cache_key(base_url, request)
    return (_question_key(base_url, request, about), key) if about.asking else (key,)


def _question_key(base_url: str | None, request: ChatRequest, about: About) -> str:
    """Hash of who is asked what: the annotator, whose version stands for guidelines and template, of these
    questions; everything but the prompt, which may show other exemplars the next time.
    """
    whole = {
        "base_url": base_url,
        **asdict(replace(request, messages=())),
        "annotator": about.annotator,
        "asking": about.asking,
        "place": about.place,
        "repair": about.repair,
    }
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()


def _read(stored: bytes | None) -> ChatReply | None:
    """A kept reply; None if there is none, or one that this version cannot read."""
    if stored is None:
        return None
    try:
        return _reply.decode(stored)
    except msgspec.DecodeError:
        return None
