"""The table by which labeling functions are judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labeling_functions.label_space import LabelSpace
from labeling_functions.task import ABSTAIN

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often an annotator was right where the truth is known and it voted.

    Attributes:
        answered: votes that could be checked. correct: those that were right.
        low, high: 95 % Wilson interval of the share.
    """

    answered: int
    correct: int
    low: float
    high: float

    @classmethod
    def of(cls, correct: int, answered: int) -> "Accuracy | None":
        """With its interval; None where nothing was checked."""
        return cls(answered, correct, *wilson(correct, answered)) if answered else None

    @property
    def share(self) -> float:
        """Share of right votes, 0 to 1."""
        return self.correct / self.answered


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """One function on n items; shares of all n items, 0 to 1, as snorkel's LFAnalysis defines them.

    Attributes:
        about: of a multilabel task, the class that it is about; the options are that it applies or not.
        coverage: it voted.
        overlap: it voted, and another function as well.
        conflict: it voted, and another function voted differently.
        polarity: classes that it voted for.
        votes: (K,) votes by class.
        accuracy: None where none of its votes can be checked.
    """

    name: str
    coverage: float
    overlap: float
    conflict: float
    polarity: tuple[int, ...]
    votes: tuple[int, ...]
    accuracy: Accuracy | None
    about: str = ""


def analyze_all(
    L: NDArray[np.int8], names: Sequence[str], space: LabelSpace, truth: NDArray[np.int64] | None = None
) -> list[FunctionReport]:
    """Report on every function; of a multilabel task on each class of which it says anything.

    Args:
        L: (n, m * F) votes as the applier gives them, n > 0.
        names: of the m functions.
        truth: (n,) labels, or -1 where they are not known.

    Raises:
        ValueError: the shapes do not fit, or there is no item.
    """
    n_options = len(space.options)
    if not space.sets:
        return analyze(L, names, n_options, truth)
    facets = [
        analyze(
            L[:, facet :: space.n_facets],
            names,
            n_options,
            None if truth is None else space.facet(truth, facet),
        )
        for facet in range(space.n_facets)
    ]
    return [
        replace(report, about=name)
        for of_function in zip(*facets, strict=True)
        for report, name in zip(of_function, space.classes, strict=True)
        if any(report.votes)
    ]


def analyze(
    L: NDArray[np.int8], names: Sequence[str], n_classes: int, truth: NDArray[np.integer] | None = None
) -> list[FunctionReport]:
    """Report on every function.

    Args:
        L: (n, m) class index or ABSTAIN, n > 0.
        names: of the m functions.
        truth: (n,) class index, or -1 where it is not known.

    Raises:
        ValueError: the shapes do not fit, or there is no item.
    """
    if L.ndim != 2 or L.shape[1] != len(names) or not len(L):
        raise ValueError(f"L has shape {L.shape}; (items, {len(names)}) with at least one item is wanted")
    if truth is not None and truth.shape != (len(L),):
        raise ValueError(f"truth has shape {truth.shape}; ({len(L)},) is wanted")
    from snorkel.labeling import LFAnalysis

    if not names:
        return []
    analysis = LFAnalysis(L.astype(np.float64))  # with integers its sums run into scipy's FutureWarning
    rows = zip(analysis.lf_coverages(), analysis.lf_overlaps(), analysis.lf_conflicts(), strict=True)
    polarities = analysis.lf_polarities()
    return [
        FunctionReport(
            name=names[j],
            coverage=float(coverage),
            overlap=float(overlap),
            conflict=float(conflict),
            polarity=tuple(int(label) for label in polarities[j]),
            votes=tuple(np.bincount(L[L[:, j] != ABSTAIN, j], minlength=n_classes).tolist()),
            accuracy=None if truth is None else _accuracy(L[:, j], truth),
        )
        for j, (coverage, overlap, conflict) in enumerate(rows)
    ]


def _accuracy(votes: NDArray[np.int8], truth: NDArray[np.integer]) -> Accuracy | None:
    checked = (votes != ABSTAIN) & (truth >= 0)
    return Accuracy.of(int((votes[checked] == truth[checked]).sum()), int(checked.sum()))


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a share, n > 0 (Wilson 1927, without continuity correction)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    center = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (center - half) / (1 + z * z / n), (center + half) / (1 + z * z / n)
    return max(0.0, low), min(1.0, high)


def table(reports: Sequence[FunctionReport], options: Sequence[str]) -> "Table":
    """The reports as a table for a terminal; `options` are the names of what was voted for."""
    from rich.table import Table

    by_class = any(report.about for report in reports)
    shown = Table("function", *(["class"] if by_class else []))
    for title in ("coverage", "overlap", "conflict", *options, "right", "95 % interval", "checked"):
        shown.add_column(title, justify="right", no_wrap=True)
    for report in reports:
        about = [report.about] if by_class else []
        shares = (f"{share:.1%}" for share in (report.coverage, report.overlap, report.conflict))
        votes = (f"{n:,}" for n in report.votes)
        shown.add_row(report.name, *about, *shares, *votes, *_accuracy_cells(report))
    return shown


def _accuracy_cells(report: FunctionReport) -> tuple[str, str, str]:
    right = report.accuracy
    if right is None:
        return "", "", "0"
    return f"{right.share:.1%}", f"{right.low:.1%} - {right.high:.1%}", f"{right.answered:,}"


def render(reports: Sequence[FunctionReport], options: Sequence[str], width: int = 120) -> str:
    """The reports as plain text, for logs and files."""
    from rich.console import Console

    text = StringIO()
    Console(file=text, width=width, color_system=None).print(table(reports, options))
    return text.getvalue()
