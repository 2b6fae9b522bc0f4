"""What the insights page is made from: bounded samples of what is stored. m functions, F facets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.report_rows import AuditedPair
from daemon.core.rows import F4, I1, FunctionVersion

I8 = NDArray[np.int64]
F8 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CheckedVotes:
    """Votes on items that chance alone picked for a blind answer of an expert, by time of the answer.

    Attributes:
        votes: (t, m * F) options, ABSTAIN where a function of today had not voted yet.
        truth: (t,) the experts' labels. at: (t,) milliseconds since 1970, UTC, rising.
    """

    votes: I1
    truth: I8
    at: I8


@dataclass(frozen=True, slots=True, eq=False)
class AuditedWindow:
    """A closed window as its audits saw it.

    Attributes:
        n: items frozen. certified: labels released. tau: score that they were released from, None if none.
        alpha: the share of wrong labels that its certificate allows.
        scores, wrong: (a,) of the audited items. weights: (a,) how many frozen items each stands for.
        pairs: audited items by true and frozen label. typical: (s,) scores of all its items, thinned.
    """

    id: int
    n: int
    certified: int
    alpha: float
    tau: float | None
    closed_at: int
    scores: F4
    wrong: NDArray[np.bool_]
    weights: F8
    pairs: Sequence[AuditedPair]
    typical: F4


@dataclass(frozen=True, slots=True)
class CostSlice:
    """Items that came in one stretch of time, or the first of them where there are very many.

    Attributes:
        start, end: milliseconds since 1970, UTC. items: looked at. human: of these, labeled by people.
        micros: spent on answers about them so far.
    """

    start: int
    end: int
    items: int
    human: int
    micros: int


@dataclass(frozen=True, slots=True, eq=False)
class InsightRows:
    """Everything that is read at once.

    Attributes:
        functions: the m labeling functions of the newest item. votes: (n, m * F) of the newest items that
            these voted on. checked: where experts answered blind. windows: closed ones, newest first.
        costs: stretches of equal length, oldest first.
    """

    functions: Sequence[FunctionVersion]
    votes: I1
    checked: CheckedVotes
    windows: Sequence[AuditedWindow]
    costs: Sequence[CostSlice]
