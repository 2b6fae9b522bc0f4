"""What samples say of functions, of automatic labels and of costs: tables and curves for people to look at.

Nothing here takes part in a certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from daemon.core.insight_rows import I8, AuditedWindow, InsightRows
from daemon.core.report_rows import AuditedPair
from daemon.core.rows import F4, I1
from labeling_functions.analysis import Accuracy, FunctionReport, analyze_all, wilson
from labeling_functions.label_space import LabelSpace
from labeling_functions.task import ABSTAIN

TREND_PARTS = 8
LEAST_IN_PART = 25
"""Checked items in a part of a trend; with fewer items there are fewer parts."""
LEAST_AUDITS = 10
"""Audits behind a point of a risk-coverage curve."""
MOST_POINTS = 40


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A function among checked items of one stretch of time.

    `at`: of the last answer, milliseconds since 1970, UTC. `votes`, `right`: counts. `items`: checked ones.
    """

    at: int
    items: int
    votes: int
    right: int


@dataclass(frozen=True, slots=True)
class FunctionInsight:
    """A function, of a multilabel task about one class.

    `report`: shares among the newest items, accuracy among checked ones. `trend`: oldest first.
    """

    report: FunctionReport
    version: str
    trend: Sequence[TrendPoint]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Experts' blind answers (rows) against automatic labels as frozen (columns).

    Attributes:
        about: of a multilabel task, the class; its options are that it does not apply, or that it does.
        options: names. counts: audits. weights: frozen items that these stand for.
    """

    about: str
    options: Sequence[str]
    counts: Sequence[Sequence[int]]
    weights: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Were all labels at and above `score` accepted: their share of the items, and of wrong ones among them.

    `low`, `high`: 95 % Wilson interval of the risk for as many even draws as the weighted audits are worth.
    """

    score: float
    coverage: float
    risk: float
    low: float
    high: float
    audits: int


@dataclass(frozen=True, slots=True)
class CertifiedPoint:
    """What a window released: `coverage` of its items, at most `risk` of them wrong by its certificate."""

    window: int
    coverage: float
    risk: float
    score: float


@dataclass(frozen=True, slots=True)
class Insights:
    """Everything that is worked out from `InsightRows`.

    `items`: whose votes were counted; `checked`: blind answers; `windows`: closed ones looked at.
    """

    items: int
    checked: int
    functions: Sequence[FunctionInsight]
    confusions: Sequence[Confusion]
    curve: Sequence[RiskPoint]
    certified: Sequence[CertifiedPoint]
    windows: int


def insights_of(rows: InsightRows, space: LabelSpace) -> Insights:
    """Work everything out."""
    return Insights(
        items=len(rows.votes),
        checked=len(rows.checked.truth),
        functions=_functions(rows, space),
        confusions=confusions([pair for window in rows.windows for pair in window.pairs], space),
        curve=risk_curve(rows.windows),
        certified=[
            CertifiedPoint(window.id, window.certified / window.n, window.alpha, window.tau)
            for window in reversed(rows.windows)
            if window.tau is not None and window.n
        ],
        windows=len(rows.windows),
    )


def _functions(rows: InsightRows, space: LabelSpace) -> list[FunctionInsight]:
    if not len(rows.votes) or not rows.functions:
        return []
    names = [function.name for function in rows.functions]
    reports = analyze_all(rows.votes, names, space)
    accuracies: dict[tuple[str, str], Accuracy | None] = {}
    if len(rows.checked.truth):
        judged = analyze_all(rows.checked.votes, names, space, rows.checked.truth)
        accuracies = {(one.name, one.about): one.accuracy for one in judged}
    return [_function(one, accuracies.get((one.name, one.about)), rows, space) for one in reports]


def _function(
    report: FunctionReport, accuracy: Accuracy | None, rows: InsightRows, space: LabelSpace
) -> FunctionInsight:
    place = [function.name for function in rows.functions].index(report.name)
    facet = space.classes.index(report.about) if report.about else 0
    votes = rows.checked.votes[:, place * space.n_facets + facet]
    truth = space.facet(rows.checked.truth, facet)
    return FunctionInsight(
        report=replace(report, accuracy=accuracy),
        version=rows.functions[place].version,
        trend=_trend(votes, truth, rows.checked.at),
    )


def _trend(votes: I1, truth: I8, at: I8) -> list[TrendPoint]:
    """Parts of equally many checked items; none where there are too few for two."""
    n_parts = min(TREND_PARTS, len(truth) // LEAST_IN_PART)
    if n_parts < 2:
        return []
    parts = np.array_split(np.arange(len(truth)), n_parts)
    voted, right = votes != ABSTAIN, votes == truth
    return [
        TrendPoint(int(at[part[-1]]), len(part), int(voted[part].sum()), int((voted & right)[part].sum()))
        for part in parts
    ]


def confusions(pairs: Sequence[AuditedPair], space: LabelSpace) -> list[Confusion]:
    """One matrix, or of a multilabel task one a class."""
    return [
        _confusion(pairs, space, facet, space.classes[facet] if space.sets else "")
        for facet in range(space.n_facets)
    ]


def _confusion(pairs: Sequence[AuditedPair], space: LabelSpace, facet: int, about: str) -> Confusion:
    size = len(space.options)
    counts, weights = np.zeros((size, size), np.int64), np.zeros((size, size))
    for pair in pairs:
        place = tuple(space.facet(np.array([pair.truth, pair.label]), facet).tolist())
        # A task may have lost a class that was used before.
        if max(place) < size:
            counts[place] += pair.count
            weights[place] += pair.weight
    return Confusion(about, space.options, counts.tolist(), weights.tolist())


def risk_curve(windows: Sequence[AuditedWindow]) -> list[RiskPoint]:
    """Error among the surest labels against how many they are, of all these windows together.

    Selective risk as El-Yaniv and Wiener (2010, JMLR 11) have it, by weighted audits: an audit counts for as
    many items as the coin that picked it says. Surest first.
    """
    if not windows:
        return []
    scores = np.concatenate([window.scores for window in windows])
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    weights = np.concatenate([window.weights for window in windows])[order]
    wrong = np.concatenate([window.wrong for window in windows])[order]
    total, bad, squares = np.cumsum(weights), np.cumsum(weights * wrong), np.cumsum(weights**2)
    points = []
    for end in _ends(scores):
        risk, worth = float(bad[end] / total[end]), float(total[end] ** 2 / squares[end])
        covered = _coverage(windows, float(scores[end]))
        low, high = wilson(risk * worth, worth)
        points.append(RiskPoint(float(scores[end]), covered, risk, low, high, end + 1))
    return points


def _ends(scores: F4) -> list[int]:
    """Last places of equal scores, (a,) falling, with enough audits up to there; not too many."""
    if not len(scores):
        return []
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    ends = ends[ends + 1 >= LEAST_AUDITS]
    if len(ends) > MOST_POINTS:
        ends = ends[np.linspace(0, len(ends) - 1, MOST_POINTS).astype(np.int64)]
    return [int(end) for end in ends]


def _coverage(windows: Sequence[AuditedWindow], score: float) -> float:
    """Share of the frozen items at and above a score."""
    held = [window.n * float((window.typical >= score).mean()) for window in windows if len(window.typical)]
    return sum(held) / sum(window.n for window in windows)
