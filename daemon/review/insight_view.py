"""Insights as the API tells them; worked out at most every half minute."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict

from daemon.core.insight_rows import CostSlice
from daemon.core.insights import Confusion, FunctionInsight, insights_of
from daemon.core.settings import MICROS
from daemon.review.insight_bodies import (
    CertifiedOut,
    ConfusionOut,
    CostOut,
    FunctionOut,
    InsightsOut,
    RiskOut,
    TrendOut,
)
from daemon.review.services import ReviewServices

KEPT_SECONDS = 30.0


class SharedInsights:
    """One reading for all pages that ask within half a minute."""

    def __init__(self, services: ReviewServices) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._kept: InsightsOut | None = None

    def get(self) -> InsightsOut:
        """The insights, at most half a minute old."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._read_at > KEPT_SECONDS:
                self._kept = insights_out(self._services)
                self._read_at = time.monotonic()
            return self._kept


def insights_out(services: ReviewServices) -> InsightsOut:
    """Read and work out everything."""
    rows = services.insights.insight_rows()
    space = services.task.space
    found = insights_of(rows, space)
    return InsightsOut(
        items=found.items,
        checked=found.checked,
        windows=found.windows,
        target_error=services.guarantee.target_error,
        confidence=services.guarantee.confidence,
        currency=services.currency,
        functions=[_function(one, space.options) for one in found.functions],
        confusions=[_confusion(one) for one in found.confusions],
        curve=[RiskOut(**asdict(point)) for point in found.curve],
        certified=[CertifiedOut(**asdict(point)) for point in found.certified],
        costs=[_cost(one) for one in rows.costs if one.items],
    )


def _function(one: FunctionInsight, options: Sequence[str]) -> FunctionOut:
    report, accuracy = one.report, one.report.accuracy
    return FunctionOut(
        name=report.name,
        version=one.version,
        about=report.about,
        coverage=report.coverage,
        overlaps=report.overlap,
        conflicts=report.conflict,
        votes=dict(zip(options, report.votes, strict=True)),
        checked=0 if accuracy is None else accuracy.answered,
        right=None if accuracy is None else accuracy.share,
        low=None if accuracy is None else accuracy.low,
        high=None if accuracy is None else accuracy.high,
        trend=[TrendOut(**asdict(point)) for point in one.trend],
    )


def _confusion(one: Confusion) -> ConfusionOut:
    return ConfusionOut(
        about=one.about,
        options=list(one.options),
        counts=[list(row) for row in one.counts],
        weights=[list(row) for row in one.weights],
    )


def _cost(one: CostSlice) -> CostOut:
    return CostOut(
        start=one.start,
        end=one.end,
        items=one.items,
        human=one.human,
        per_label=one.micros / MICROS / one.items,
    )
