"""Calls to language models as the ledger keeps them, and what a model says about an item."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """A call that somebody wants to make.

    Attributes:
        tier, endpoint, run: whose caps it must meet. A run is what one cap is given for: a process, or
            several that were started under one name.
        micros: price of its longest possible answer, in micro-units.
        seconds: after these nobody waits for it any more: if it is still reserved then, it is lost.
        annotator, question, item: what it is made for; None where it is for several.
        leases: question and attempt of each lease that it is made under: it is not made once one of them is
            somebody else's.
        trace: where it can be read, if it is traced.
    """

    tier: str
    endpoint: str
    run: str
    micros: int
    seconds: float
    annotator: int | None = None
    question: int | None = None
    item: str | None = None
    leases: tuple[tuple[int, int], ...] = ()
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class CallCaps:
    """How much calls may cost, in micro-units; None or absent: no limit.

    Attributes:
        tiers: tier -> a UTC day, together with all else that the tier spends.
        endpoints: endpoint -> a UTC day.
        run: of this run, ever.
    """

    tiers: Mapping[str, int | None] = field(default_factory=dict)
    endpoints: Mapping[str, int | None] = field(default_factory=dict)
    run: int | None = None


@dataclass(frozen=True, slots=True)
class CallBill:
    """What a call came to, as told by the endpoint: micro-units, tokens, seconds until the whole answer."""

    micros: int
    tokens_in: int
    tokens_out: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelVote:
    """What a language model says about one item.

    Attributes:
        label: as `labeling_functions.label_space` has labels, or ABSTAIN (-1) where it said none that can be
            read.
        probabilities: of each class as the model sees them, of a multilabel task that it applies; None where
            it does not say; believed by nobody.
        micros: what its calls cost; they are booked already.
        seconds: that they took. trace: where they can be read, if they are traced.
    """

    label: int
    probabilities: tuple[float, ...] | None = None
    micros: int = 0
    seconds: float = 0.0
    trace: str | None = None
