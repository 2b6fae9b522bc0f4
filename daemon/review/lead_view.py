"""The lead's page as the API tells it."""

from collections.abc import Sequence

from daemon.core.lead_ports import WhatIf
from daemon.core.lead_rows import Disagreement, LeadRows, TierPace, WorkRecord
from daemon.core.queue_forecast import hours_to_empty
from daemon.core.report_rows import AnnotatorRecord, Overview, QueueDepth
from daemon.core.reviewer_rows import ReviewerRecord
from daemon.core.settings import MICROS
from daemon.core.states import AnnotatorKind, Purpose
from daemon.review.lead_bodies import (
    DisagreementOut,
    ForecastOut,
    LeadOut,
    LeadQueueOut,
    ReviewerRecordOut,
    SaidOut,
    TierBudgetOut,
    WhatIfOut,
)
from daemon.review.rendering import label_name, snippet
from daemon.review.services import ReviewServices
from labeling_functions.label_space import LabelSpace

NO_PACE = TierPace("", 0, 0, 3_600.0)


def lead_out(
    rows: LeadRows, reviewers: Sequence[ReviewerRecord], overview: Overview, services: ReviewServices
) -> LeadOut:
    """Everything but what budgets would do."""
    work = {(one.name, one.tier): one for one in rows.reviewers}
    paces = {pace.tier: pace for pace in rows.paces}
    people = [one for one in overview.annotators if one.kind == AnnotatorKind.PERSON]
    quality = {(one.name, one.tier): one for one in people}
    return LeadOut(
        currency=services.currency,
        queues=[_queue(tier, overview.queues, paces.get(tier, NO_PACE)) for tier in services.tiers],
        reviewers=[
            _reviewer(one, work.get((one.name, one.tier)), quality.get((one.name, one.tier)))
            for one in reviewers
        ],
        disagreements=[_disagreement(one, services.task.space) for one in rows.disagreements],
        budgets=[
            TierBudgetOut(tier=name, price=tier.price, per_day=tier.budget_per_day)
            for name, tier in services.tiers.items()
        ],
    )


def what_if_out(found: WhatIf) -> WhatIfOut:
    """A forecast, by the day."""
    forecast, per_day = found.forecast, found.per_day or 0.0
    told = None
    if forecast is not None:
        told = ForecastOut(
            accuracy=forecast.accuracy,
            certified=forecast.certified,
            people=forecast.people,
            cost_per_day=forecast.cost * per_day,
            answers_per_day={tier: votes * per_day for tier, votes in forecast.votes.items()},
        )
    return WhatIfOut(
        items_per_day=found.per_day,
        audits_per_day=found.audits_per_day,
        forecast=told,
        guesses=list(found.guesses),
    )


def _queue(tier: str, depths: Sequence[QueueDepth], pace: TierPace) -> LeadQueueOut:
    mine = [depth for depth in depths if depth.tier == tier and depth.purpose != Purpose.CONTROL]
    waiting = sum(depth.open + depth.leased for depth in mine)
    asked, answered = (3_600 * count / pace.seconds for count in (pace.asked, pace.answered))
    return LeadQueueOut(
        tier=tier,
        waiting=waiting,
        held=sum(depth.leased for depth in mine),
        oldest_seconds=max((depth.oldest_age for depth in mine if depth.open), default=0.0),
        asked_per_hour=asked,
        answered_per_hour=answered,
        empty_in_hours=hours_to_empty(waiting, asked, answered),
    )


def _reviewer(
    one: ReviewerRecord, work: WorkRecord | None, quality: AnnotatorRecord | None
) -> ReviewerRecordOut:
    right = None if quality is None else quality.accuracy
    return ReviewerRecordOut(
        id=one.id,
        name=one.name,
        tier=one.tier,
        state=one.state,
        note=one.note,
        answers=one.answers,
        today=0 if work is None else work.today,
        seconds=one.seconds,
        earned=one.micros / MICROS,
        earned_today=0.0 if work is None else work.today_micros / MICROS,
        last_at=None if work is None else work.last_at,
        controls=one.controls,
        controls_right=one.right,
        checked=0 if right is None else right.answered,
        right=None if right is None else right.share,
        low=None if right is None else right.low,
        high=None if right is None else right.high,
    )


def _disagreement(one: Disagreement, space: LabelSpace) -> DisagreementOut:
    return DisagreementOut(
        item=one.item,
        text=snippet(one.payload),
        label=label_name(one.label, space),
        said=[
            SaidOut(name=said.name, tier=said.tier or said.kind.value, label=label_name(said.label, space))
            for said in one.said
        ],
        at=one.at,
    )
