"""Rows that pass between the loops and the store: columns where there are many, plain records elsewhere.

Arrays of a batch of n items: K classes, F facets (1 for classification), m labelling functions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
        inline: (n, m) votes, ABSTAIN = -1.
        vectors: (n, d) float16 embeddings, or None without an encoder.
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
    """Micro-units, reserved from the tier's budget of the day when the question is made."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of n items, as columns.

    Attributes:
        posterior: (n, F*K) rows of probabilities.
        labels: (n, F) class indices.
        scores: (n,) calibrated probability that the label is right.
        classifier: (n, K) the classifier's own probabilities, or None without a classifier.
        bundle: id of the bundle that decided; None for the built-in priors. A closing window leaves the
            bundle of its items as it was.
        states: next state of each item.
        publish: (n,) True where a new revision of the label goes out.
        status: of each label, where published.
        withdraw: (n,) True where open questions (not audits of an open window) are cancelled.
        asks: questions to add.
        window: id of the window that closed over these items, written to the labels that it released.
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the store made it; asks beyond a budget are missing among them."""

    question: int
    ask: Ask


Compose = Callable[[Sequence[Asked]], Sequence[OutMessage]]
"""Called inside the transaction, once, with the questions really made; pure; returns what to publish."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A standing (not retracted) answer on an item."""

    annotator: int
    name: str
    kind: AnnotatorKind
    tier: str | None
    purpose: Purpose
    label: int
    at: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question that is still open or leased."""

    question: int
    tier: str
    purpose: Purpose
    state: QuestionState
    window: int | None


@dataclass(frozen=True, slots=True)
class OpenItem:
    """All that is known about a stored item when it is decided again.

    Attributes:
        inline: (m,) votes of the functions in set `functions`.
        vector: (d,) float16 embedding by `encoder`, if stored.
        posterior: (F*K,) as last decided. labels: (F,). score: as last decided.
        revision: of the last published label; 0 if none was.
        sent_back: how many windows have sent it back.
        window: the window that holds it, while frozen.
        cost: micro-units spent on its answers so far.
        payload: the JSON as it came.
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


Decide = Callable[[Sequence[OpenItem]], tuple[Decision, Compose]]
"""Decides locked items inside the store's transaction; pure. Rows of the decision follow the items."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A lease on a job that one process does at a time; `epoch` is checked in every write under it."""

    name: str
    holder: str
    epoch: int


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
        p: probability of each item's coin. alpha, delta: the claim.
        lambdas: (t,) thresholds, strictly falling. start: index of the first one tested.
        tier, price, priority, deadline_seconds: of the audit questions.
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


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A frozen window with its audits as they stand now.

    Attributes:
        items: current rows of the frozen items, in frozen order.
        scores, labels: as frozen, (n,) and (n, F).
        audited: (a,) indices into items, the coins' picks.
        audits: (a,) class that the audit found; -1 while unanswered.
        overdue: the deadline has passed.
    """

    id: int
    plan: WindowPlan
    items: Sequence[OpenItem]
    scores: F4
    labels: I1
    audited: NDArray[np.int64]
    audits: NDArray[np.int64]
    overdue: bool


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
        certified: number of labels released. closed_at: milliseconds since 1970, UTC.
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


@dataclass(frozen=True, slots=True)
class Lease:
    """An item on a reviewer's screen.

    Attributes:
        blind: nothing but the item may be shown (audits and gold draws).
        until: milliseconds since 1970, UTC, on the database's clock.
    """

    question: int
    item: str
    tier: str
    payload: bytes
    blind: bool
    until: int


@dataclass(frozen=True, slots=True)
class Person:
    """A registered reviewer."""

    id: int
    name: str
    tier: str


@dataclass(frozen=True, slots=True)
class News:
    """What happened since the current bundle was trained.

    `answers`: new answers; `gold`: all random blind answers; `items`: stored items;
    `age`: seconds since the training, or since the first item when nothing was ever trained.
    """

    answers: int
    gold: int
    items: int
    age: float


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What models learn from: n items, newest first, every answered item among them.

    Attributes:
        ids: item ids. texts: payloads as they came. arrived: (n,) ms.
        functions: (n,) id of the function set of each row; inline: one (m_i,) array a row.
        sets: function set id -> annotator ids of its columns.
        names: annotator id -> (name, version).
        vectors: (n, d) float16, zero rows where missing (`has_vector` False), by `encoder`.
        answers: (row, answer) pairs.
    """

    ids: Sequence[str]
    payloads: Sequence[bytes]
    subjects: Sequence[str | None]
    arrived: NDArray[np.int64]
    functions: NDArray[np.int64]
    inline: Sequence[I1]
    sets: Mapping[int, tuple[int, ...]]
    names: Mapping[int, tuple[str, str]]
    vectors: NDArray[np.float16]
    has_vector: NDArray[np.bool_]
    encoder: str | None
    answers: Sequence[tuple[int, Answer]] = ()


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle as the database keeps it. `data` are its bytes (npz with JSON inside)."""

    id: int
    digest: str
    data: bytes
    trained_at: int
    run_id: str | None
    mlflow_version: str | None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How a tier's queue stands: counts of questions by state, age in seconds of the oldest open one."""

    tier: str
    purpose: Purpose
    open: int
    leased: int
    answered: int
    oldest_age: float


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """What a process last said of itself; `age` in seconds."""

    name: str
    kind: str
    age: float
    report: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spending:
    """Money of one tier, micro-units: all time, and the day's budget (cap None: no limit)."""

    tier: str
    answers: int
    spent: int
    seconds: float
    today_cap: int | None
    today_reserved: int
    today_spent: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the dashboard and `labelloop status` show of the database, read in one transaction.

    Attributes:
        states: item state -> items. statuses: current label status -> items. classes: current label -> items.
        items_per_minute: arrivals of the last minute. arrivals: (minute, items) of the last hour.
        open_windows: number. windows: closed ones, newest first, at most 50.
        gold: random blind answers. answers: all standing answers.
        dead_letters: reason -> count. function_failures: name -> count.
        bundle: the promoted one, its `data` left out (b""). rechecks: due ones.
        automated: ready, frozen or certified items that no person answered.
    """

    states: Mapping[str, int]
    statuses: Mapping[str, int]
    classes: Mapping[int, int]
    items_per_minute: float
    arrivals: Sequence[tuple[int, int]]
    open_windows: int
    windows: Sequence[WindowRecord]
    gold: int
    answers: int
    queues: Sequence[QueueDepth]
    spending: Sequence[Spending]
    dead_letters: Mapping[str, int]
    function_failures: Mapping[str, int]
    processes: Sequence[ProcessReport]
    bundle: StoredBundle | None
    outbox: int
    rechecks: int
    automated: int = 0


@dataclass(frozen=True, slots=True)
class CastVote:
    """What a labeling function said of an item; `label` ABSTAIN (-1) where it said nothing."""

    name: str
    version: str
    label: int


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer on an item, retracted ones too. Times in milliseconds since 1970, cost in micro-units."""

    name: str
    kind: AnnotatorKind
    tier: str | None
    purpose: Purpose
    label: int
    seconds: float
    cost: int
    at: int
    retracted_at: int | None


@dataclass(frozen=True, slots=True)
class LabelRevision:
    """A label as it was published."""

    revision: int
    label: int
    probabilities: tuple[float, ...]
    status: LabelStatus
    window: int | None
    bundle: int | None
    cost: int
    at: int


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question on an item, whatever became of it."""

    id: int
    tier: str
    purpose: Purpose
    state: QuestionState
    priority: float
    attempt: int
    created: int
    closed: int | None


@dataclass(frozen=True, slots=True)
class ItemStory:
    """Everything known about one item. `classifier`: its own probabilities, None without a classifier."""

    id: str
    payload: bytes
    arrived: int
    state: ItemState
    label: int
    score: float
    posterior: tuple[float, ...]
    classifier: tuple[float, ...] | None
    window: int | None
    bundle: int | None
    votes: Sequence[CastVote]
    answers: Sequence[GivenAnswer]
    revisions: Sequence[LabelRevision]
    questions: Sequence[AskedQuestion]


@dataclass(frozen=True, slots=True)
class RecentLabel:
    """The current label of an item that came or was answered lately."""

    item: str
    payload: bytes
    revision: int
    label: int
    probability: float
    status: LabelStatus
    at: int
