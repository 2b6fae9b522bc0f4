"""What pages and `labelloop status` show, as plain records."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.alarm_rows import AlarmRecord
from daemon.core.judge_rows import JudgeRecord
from daemon.core.learning_rows import StoredBundle
from daemon.core.states import (
    AnnotatorKind,
    LabelStatus,
    Purpose,
)
from daemon.core.window_rows import NOTHING_RELEASED, LedgerRecord, WindowRecord
from labeling_functions.analysis import Accuracy
from models.bundles import AnyBundle

NO_CLASS = -1
"""In counts by class of a multilabel task: labels that say that no class applies."""


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
    """Money of one tier, micro-units: all time, and the day's budget (cap None: no limit).

    `calls`: to language models that were paid; `lost_calls`: those of them whose outcome nobody knows.
    `capped`: whether a cap (of the tier, an endpoint or a run) refused the last call, a moment ago.
    """

    tier: str
    answers: int
    spent: int
    seconds: float
    today_cap: int | None
    today_reserved: int
    today_spent: int
    calls: int = 0
    lost_calls: int = 0
    capped: bool = False

    @property
    def reached(self) -> bool:
        """Whether nobody of this tier is asked for want of money."""
        return self.capped or self.left <= 0

    @property
    def left(self) -> float:
        """Micro-units of the day's budget that nobody has spent or holds; infinite without a limit."""
        cap = math.inf if self.today_cap is None else self.today_cap
        return cap - self.today_reserved - self.today_spent


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Somebody who answered.

    `answers`: standing ones; `beside`: tier -> items that somebody else of this tier answered too.
    """

    name: str
    tier: str | None
    answers: int
    beside: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnnotatorRecord:
    """A person or a way of asking a language model, and how good it is on the items that it was asked about.

    Attributes:
        version: of how a language model is asked; empty for people.
        answers: standing ones to questions that chance did not draw.
        accuracy: where an expert answered the same item later; None if there is none.
    """

    name: str
    version: str
    kind: AnnotatorKind
    tier: str | None
    answers: int
    accuracy: Accuracy | None


@dataclass(frozen=True, slots=True)
class AuditedPair:
    """Audited items that an expert gave the label `truth` and that were frozen as `label`.

    `weight`: how many frozen items they stand for.
    """

    truth: int
    label: int
    count: int
    weight: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the promoted bundle is made of.

    Attributes:
        label_model: registry name. members: name and weight of each of the mixture's.
        gold: random blind answers that it rests on. effective_gold: what they are worth on distinct, evenly
            drawn items.
    """

    label_model: str
    members: Sequence[tuple[str, float]]
    gold: int
    effective_gold: float


def facts_of(bundle: AnyBundle) -> ModelFacts:
    """The facts of a bundle; of one a class, weights are means over the classes."""
    weights: dict[str, float] = defaultdict(float)
    for part in bundle.parts:
        for member in part.members:
            weights[member.name] += member.weight / len(bundle.parts)
    members = tuple(weights.items())
    return ModelFacts(bundle.label_model, members, bundle.gold.answers, bundle.gold.effective)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that the program can say, or cannot say yet.

    Attributes:
        topic: in a few words. said: what holds, or what is not known, in a sentence.
        needs: what it still takes, in a sentence; empty where it holds.
        have, want: how far it is, of whatever is counted; it holds where nothing is needed.
    """

    topic: str
    said: str
    needs: str
    have: float
    want: float

    @property
    def holds(self) -> bool:
        """Whether it can be said."""
        return not self.needs


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the dashboard and `labelloop status` show of the database, read in one transaction.

    Attributes:
        states: item state -> items. statuses: current label status -> items. classes: class -> items whose
            current label names it; NO_CLASS counts the items to which none applies.
        items_per_minute: arrivals of the last minute. arrivals: (minute, items) of the last hour.
        open_windows: number. windows: closed ones, newest first, at most 50.
        gold: random blind answers. answers: all standing answers.
        dead_letters: reason -> count. function_failures: name -> count.
        webhooks: name -> state (`waiting`, `dead`) -> events that were not delivered.
        bundle: the promoted one, its `data` left out (b""). rechecks: due ones.
        automated: ready, frozen or certified items that no person answered.
        ledger: of all labels released.
        gold_classes: class -> random blind answers that name it, as `classes`.
        people: everybody who answered.
        annotators: how good people and language models are. judges: how far they go by the order.
        model: of the promoted bundle; None before the first.
        audited: audits of these windows by class. chances: window -> chance of releasing anything, by what
            was known before its audits.
        alarms: of drift, newest first, at most 20. fresh: random blind answers on items that came after the
            open ones; None while none is open.
        paused: tier -> people who are paused. last_training: when a run last ended, promoted or not; None
            before the first. rejected: bundles that were trained before the first is promoted; 0 once it is.
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
    ledger: LedgerRecord = NOTHING_RELEASED
    gold_classes: Mapping[int, int] = field(default_factory=dict)
    people: Sequence[PersonRecord] = ()
    annotators: Sequence[AnnotatorRecord] = ()
    judges: Sequence[JudgeRecord] = ()
    model: ModelFacts | None = None
    audited: Sequence[AuditedPair] = ()
    chances: Mapping[int, float | None] = field(default_factory=dict)
    alarms: Sequence[AlarmRecord] = ()
    webhooks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    fresh: int | None = None
    paused: Mapping[str, int] = field(default_factory=dict)
    last_training: int | None = None
    rejected: int = 0


NOTHING_YET = Overview(
    states={},
    statuses={},
    classes={},
    items_per_minute=0.0,
    arrivals=(),
    open_windows=0,
    windows=(),
    gold=0,
    answers=0,
    queues=(),
    spending=(),
    dead_letters={},
    function_failures={},
    processes=(),
    bundle=None,
    outbox=0,
    rechecks=0,
)
"""Before anything came."""


@dataclass(frozen=True, slots=True)
class RecentLabel:
    """The current label of an item that came or was answered lately."""

    item: str
    payload: bytes
    revision: int
    label: int
    probabilities: tuple[float, ...]
    status: LabelStatus
    at: int
