"""Rows of one item's story: what it is, and all that happened to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.states import AnnotatorKind, AuditProtocol, ItemState, LabelStatus, Purpose, QuestionState


@dataclass(frozen=True, slots=True)
class CastVote:
    """What a labeling function said of an item: (F,) options, ABSTAIN (-1) where it said nothing."""

    name: str
    version: str
    options: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer on an item, retracted ones too. Times in milliseconds since 1970, cost in micro-units.

    `version`: of how a language model was asked; empty for people. `trace`: where the calls that led to it
    can be read, if a language model gave it and they are traced.
    """

    name: str
    kind: AnnotatorKind
    tier: str | None
    purpose: Purpose
    label: int
    seconds: float
    cost: int
    at: int
    retracted_at: int | None
    trace: str | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """What a label was released under: of its window's, at most `alpha` wrong at confidence 1 - `delta`."""

    window: int
    alpha: float
    delta: float
    threshold: float
    protocol: AuditProtocol


@dataclass(frozen=True, slots=True)
class LabelRevision:
    """A label as it was published; `certificate` for those that a window released."""

    revision: int
    label: int
    probabilities: tuple[float, ...]
    status: LabelStatus
    window: int | None
    bundle: int | None
    cost: int
    at: int
    certificate: StoredCertificate | None = None


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
class RaisedFlag:
    """Somebody of a tier wanted the item to go up a tier; `note` may say why. `at`: ms since 1970."""

    name: str
    tier: str
    note: str
    at: int


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """An answer to the item as a control question: it says something of the person, nothing of the item."""

    name: str
    label: int
    is_right: bool
    at: int


@dataclass(frozen=True, slots=True)
class VouchedLabel:
    """What somebody vouches for; `source`: who or from where. `at`: ms since 1970."""

    label: int
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class ItemStory:
    """Everything known about one item.

    `classifier`: its own probabilities, None without a classifier; `runs`: bundle -> id of the training run
    that made it, where runs are kept.
    """

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
    runs: Mapping[int, str] = field(default_factory=dict)
    flags: Sequence[RaisedFlag] = ()
    controls: Sequence[ControlAnswer] = ()
    vouched: VouchedLabel | None = None
