"""Rows that pass between the loops and the store: columns where there are many, plain records elsewhere.

Arrays of a batch of n items: F facets of K options each (one facet with the classes, or of a multilabel task
one a class), m labeling functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.states import AnnotatorKind, ItemState, LabelStatus, Purpose, QuestionState
from daemon.core.wire import OutMessage

F4 = NDArray[np.float32]
I1 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """A labelling function as it is now; `version` is a hash of its source."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class FunctionSet:
    """Which annotator stands in each column of `items.inline`."""

    id: int
    annotators: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """New items of a batch, as columns of length n.

    Attributes:
        ids: item ids, distinct.
        payloads: the JSON as it came.
        digests: 16 bytes each; equal digests mean equal content.
        subjects: or None, each.
        topic_ids, partitions, offsets: where each came from.
        functions: id of the function set that made `inline`.
        inline: (n, m * F) votes, ABSTAIN = -1; what a function says of the facets stands side by side.
        vectors: (n, d) float16 embeddings, rows of NaN for items without one; None without an encoder.
        encoder: name of the encoder that made them.
    """

    ids: Sequence[str]
    payloads: Sequence[bytes]
    digests: Sequence[bytes]
    subjects: Sequence[str | None]
    topic_ids: Sequence[str]
    partitions: Sequence[int]
    offsets: Sequence[int]
    functions: int
    inline: I1
    vectors: NDArray[np.float16] | None = None
    encoder: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One wanted vote on the item in `row` of a decision."""

    row: int
    tier: str
    purpose: Purpose
    priority: float
    """Higher is asked sooner."""
    price: int
    """Micro-units. Reserved from the tier's budget of the day when the question is made (blind ones), or when
    somebody leases it."""
    chance: float | None = None
    """Probability of the coin that picked the item; None where no coin did."""


@dataclass(frozen=True, slots=True)
class Reprice:
    """Another place in the queue for the open questions that settle the item in `row` of a decision."""

    row: int
    priority: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of n items, as columns.

    Attributes:
        posterior: (n, F*K) rows of probabilities.
        labels: (n, F) options.
        scores: (n,) calibrated probability that the label is right.
        classifier: (n, F*K) the classifier's own probabilities, rows of NaN for items without a vector; None
            without a classifier.
        bundle: id of the bundle that decided; None for the built-in priors. A closing window leaves the
            bundle of its items as it was.
        states: next state of each item.
        publish: (n,) True where a new revision of the label goes out.
        status: of each label, where published.
        withdraw: (n,) True where open questions (not audits of an open window) are cancelled.
        asks: questions to add. reprices: open questions that move in their queue.
        window: id of the window that closed over these items, written to the labels that it released.
        later: rows to be looked at again in a minute.
    """

    posterior: F4
    labels: I1
    scores: F4
    classifier: F4 | None
    bundle: int | None
    states: Sequence[ItemState]
    publish: NDArray[np.bool_]
    status: Sequence[LabelStatus]
    withdraw: NDArray[np.bool_]
    asks: Sequence[Ask] = ()
    window: int | None = None
    later: Sequence[int] = ()
    reprices: Sequence[Reprice] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the store made it; asks beyond a budget are missing among them."""

    question: int
    ask: Ask


Compose = Callable[[Sequence[Asked]], Sequence[OutMessage]]
"""Called inside the transaction, once, with the questions really made; pure; returns what to publish."""


@dataclass(frozen=True, slots=True)
class AuditMade:
    """A blind question that a window's coin picked, with the item's content as it came."""

    question: int
    item: str
    payload: bytes
    ask: Ask


ComposeAudits = Callable[[Sequence[AuditMade]], Sequence[OutMessage]]
"""As Compose, for the audits of a window that freezes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A standing (not retracted) answer on an item."""

    annotator: int
    name: str
    kind: AnnotatorKind
    tier: str | None
    purpose: Purpose
    label: int
    """As `labeling_functions.label_space` has labels."""
    at: int
    version: str = ""
    """Of the annotator: of language models, a hash of how they are asked."""
    confidence: float | None = None
    """In the label, as the annotator says, 0 to 1; None where it says nothing of it."""
    chance: float | None = None
    """Of the coin that picked the item, for learners only; None where no coin did, and for a third expert."""
    by_class: tuple[float, ...] = ()
    """Of a multilabel task: how likely each class applies, as the annotator says; empty where it says nothing
    of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question that is still open or leased."""

    question: int
    tier: str
    purpose: Purpose
    state: QuestionState
    window: int | None
    priority: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenItem:
    """All that is known about a stored item when it is decided again.

    Attributes:
        inline: (m*F,) votes of the functions in set `functions`.
        vector: (d,) float16 embedding by `encoder`, if stored.
        posterior: (F*K,) as last decided. labels: (F,). score: as last decided.
        revision: of the last published label; 0 if none was.
        sent_back: how many windows have sent it back.
        window: the window that holds it, while frozen.
        cost: micro-units spent on its answers so far.
        payload: the JSON as it came.
        subject: what it shows together with other items.
        picked: the learner asks for it to be answered. drawn: it was drawn for a random blind question.
        passed: tiers whose question ended with an abstention, one entry each.
        flagged: tiers somebody of which asked that the item goes up.
    """

    id: str
    state: ItemState
    functions: int
    inline: I1
    posterior: F4
    labels: I1
    score: float
    revision: int
    sent_back: int
    window: int | None
    bundle: int | None
    cost: int
    payload: bytes = b""
    vector: NDArray[np.float16] | None = None
    encoder: str | None = None
    answers: Sequence[Answer] = ()
    wanted: Sequence[Wanted] = ()
    subject: str | None = None
    picked: bool = False
    drawn: bool = False
    passed: Sequence[str] = ()
    flagged: Sequence[str] = ()


Decide = Callable[[Sequence[OpenItem]], tuple[Decision, Compose]]
"""Decides locked items inside the store's transaction; pure. Rows of the decision follow the items."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A lease on a job that one process does at a time; `epoch` is checked in every write under it."""

    name: str
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """What somebody of another tier answered; who it was is not told."""

    tier: str
    label: int


@dataclass(frozen=True, slots=True)
class Lease:
    """An item on a reviewer's screen.

    Attributes:
        blind: nothing but the item may be shown (audits and gold draws).
        until: milliseconds since 1970, UTC, on the database's clock.
        label: as the votes at hand have it, None of a blind question. sure: probability that it is right.
        earlier: what people of other tiers answered, oldest first; nothing of a blind or a control question.
        attempt: how often the question was leased until then, this time included. It tells this lease from
            later ones of the same annotator.
    """

    question: int
    item: str
    tier: str
    payload: bytes
    blind: bool
    until: int
    label: int | None = None
    sure: float = 0.0
    earlier: tuple[EarlierAnswer, ...] = ()
    attempt: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """Question and attempt: no other lease has these."""
        return self.question, self.attempt


@dataclass(frozen=True, slots=True)
class Person:
    """A registered reviewer."""

    id: int
    name: str
    tier: str
