"""Asks a variant about leased items: exemplars, requests, one try to repair, and what it cost."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from daemon.core.call_rows import ModelVote
from daemon.core.decoding import decode_stored
from daemon.core.paid_chat import About, Paid
from daemon.core.rows import Lease
from labeling_functions.items import Item
from labeling_functions.llm.chat_model import ChatRefused, ChatRequest
from labeling_functions.llm.exemplars import AnsweredItems, Exemplar, Vectors, choose
from labeling_functions.llm.settings import ExemplarSettings
from labeling_functions.llm.templates import PromptError
from labeling_functions.llm.variant import LLMVote, Variant
from labeling_functions.task import ABSTAIN

FRESH_SECONDS = 60.0
"""Answers of people are read again for exemplars after so long."""


def about_leases(annotator: int, leases: Sequence[Lease]) -> About:
    """What calls are made for that ask about the items of these leases together."""
    held = tuple(lease.key for lease in leases)
    if len(leases) > 1:
        return About(annotator, leases=held)
    return About(annotator, leases[0].question, leases[0].item, held)


class AnsweredStore(Protocol):
    """What people answered, to choose exemplars from."""

    def answered(self, with_vectors: bool) -> AnsweredItems:
        """The oldest answers of final tiers; with vectors, only those of items that have one."""

    def vectors(self, items: Sequence[str]) -> dict[str, Vectors]:
        """(d,) embeddings of length 1 of these items, where there are any."""


@dataclass
class Exemplars:
    """Chooses exemplars for items; many threads may ask."""

    store: AnsweredStore
    settings: ExemplarSettings
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: AnsweredItems | None = None
    _until: float = float("-inf")

    def of(self, items: Sequence[Item]) -> list[tuple[Exemplar, ...]]:
        """For each item those that its prompt shows; none as long as there is nothing to choose from."""
        if self.settings.count == 0:
            return []
        answered = self._answered()
        known = {} if self._fixed else self.store.vectors([item.id for item in items])
        return [self._of(item, answered, known.get(item.id)) for item in items]

    def _of(self, item: Item, answered: AnsweredItems, vector: Vectors | None) -> tuple[Exemplar, ...]:
        if not answered.exemplars:
            return ()
        how = self.settings.how if vector is not None else "fixed"
        return choose(answered, item, np.empty(0) if vector is None else vector, self.settings.count, how)

    def _answered(self) -> AnsweredItems:
        with self._lock:
            if self._known is None or self.clock() >= self._until:
                self._known = self.store.answered(with_vectors=not self._fixed)
                self._until = self.clock() + FRESH_SECONDS
            return self._known

    @property
    def _fixed(self) -> bool:
        return self.settings.how == "fixed"


class Chat(Protocol):
    """As `daemon.core.paid_chat.PaidChat`."""

    def ask(self, request: ChatRequest, about: About) -> Paid:
        """The reply, and what it cost."""


@dataclass(frozen=True, slots=True)
class VariantAsker:
    """`daemon.core.annotate.AskItems` of one variant."""

    variant: Variant
    chat: Chat
    exemplars: Exemplars

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        """Ask about the items of these leases, and once more about answers that did not parse."""
        items = [decode_stored(lease.payload) for lease in leases]
        about = about_leases(annotator, leases)
        if self.exemplars.settings.count:
            # People answer meanwhile: asked again, the question may show other exemplars.
            about = replace(about, asking=tuple((lease.question, lease.item) for lease in leases))
        return self.ask(items, about)

    def ask(self, items: Sequence[Item], about: About) -> list[ModelVote]:
        """What the model says about each item, in order. Raises as `AskItems` does."""
        try:
            votes, paid = self._ask(items, about)
        except PromptError as error:
            raise ChatRefused(str(error)) from error
        return _with_costs(votes, paid, self.variant.task.n_classes)

    def _ask(self, items: Sequence[Item], about: About) -> tuple[list[LLMVote], list[Paid]]:
        shown = self.exemplars.of(items)
        first = self.variant.requests(items, shown)
        paid = self._each(first, [replace(about, place=place) for place in range(len(first))])
        votes = self.variant.votes(items, [one.reply for one in paid])
        second = self.variant.second_try(items, votes, shown)
        alone = [replace(about, repair=True, asking=about.asking[row : row + 1]) for row in second.rows]
        again = self._each(second.requests, alone)
        return self.variant.votes_after(votes, second, [one.reply for one in again]), [*paid, *again]

    def _each(self, requests: Sequence[ChatRequest], abouts: Sequence[About]) -> list[Paid]:
        return [self.chat.ask(request, about) for request, about in zip(requests, abouts, strict=True)]


def _with_costs(votes: Sequence[LLMVote], paid: Sequence[Paid], n_classes: int) -> list[ModelVote]:
    """Each item bears its share of what all calls cost; the first one what cannot be shared evenly."""
    n = len(votes)
    micros, seconds = sum(one.micros for one in paid), sum(one.reply.seconds for one in paid)
    share = micros // n
    return [
        ModelVote(
            label=vote.label,
            probabilities=_spread(vote, n_classes),
            micros=share + (micros - share * n if place == 0 else 0),
            seconds=seconds / n,
        )
        for place, vote in enumerate(votes)
    ]


def _spread(vote: LLMVote, n_classes: int) -> tuple[float, ...] | None:
    """(K,) the confidence for the label, and the rest evenly for the other classes; of a set (C,) how likely
    each class applies."""
    if vote.by_class:
        return vote.by_class
    if vote.confidence is None or vote.label == ABSTAIN:
        return None
    rest = (1 - vote.confidence) / (n_classes - 1)
    return tuple(vote.confidence if label == vote.label else rest for label in range(n_classes))
