"""What GET /api/lead and POST /api/what-if say."""

from typing import Annotated

from pydantic import BaseModel, Field

from daemon.core.states import PersonState
from daemon.review.bodies import SAID, Body, Name, Said


class LeadQueueOut(BaseModel):
    """A tier's queue and how it moves."""

    tier: str
    waiting: int = Field(description="Questions open or held.")
    held: int
    oldest_seconds: float = Field(description="Age of the oldest open question.")
    asked_per_hour: float = Field(description="New questions, without withdrawn ones, at the pace of lately.")
    answered_per_hour: float
    empty_in_hours: float | None = Field(
        description="Until nothing waits at this pace; null where more is asked than answered."
    )


class ReviewerRecordOut(BaseModel):
    """Somebody who reviews in a tier."""

    id: int
    name: str
    tier: str
    state: PersonState = Field(description="`paused`: no questions, and no answers taken, until let go on.")
    note: str | None = Field(description="Why, or what was said when it changed last.")
    answers: int = Field(description="Standing ones, those to control questions apart.")
    today: int = Field(description="Of the UTC day.")
    seconds: float = Field(description="Median of the newest answers.")
    earned: float = Field(description="In all, with control questions.")
    earned_today: float = Field(description="In the UTC day, without control questions.")
    last_at: int | None = Field(description="Milliseconds since 1970, UTC; null before the first answer.")
    controls: int = Field(description="Counted answers to control questions.")
    controls_right: int
    checked: int = Field(
        description="Answers to questions that chance did not draw, where an expert answered later."
    )
    right: float | None = Field(description="Share of the checked ones that were right; null without any.")
    low: float | None = Field(description="Of its 95 % interval.")
    high: float | None = Field(description="Of its 95 % interval.")


class SaidOut(BaseModel):
    """Who said what."""

    name: str
    tier: str
    label: Said = Field(description=SAID)


class DisagreementOut(BaseModel):
    """An item on which standing answers differ."""

    item: str
    text: str = Field(description="The beginning of the item's text.")
    label: Said = Field(description="As it is now.")
    said: list[SaidOut]
    at: int = Field(description="Of the last answer, milliseconds since 1970, UTC.")


class TierBudgetOut(BaseModel):
    """A tier's budget as it is set."""

    tier: str
    price: float = Field(description="Of an answer.")
    per_day: float | None = Field(description="Currency a day; null for no limit.")


class LeadOut(BaseModel):
    """What somebody needs to know who looks after reviewers."""

    currency: str
    queues: list[LeadQueueOut]
    reviewers: list[ReviewerRecordOut]
    disagreements: list[DisagreementOut] = Field(description="Newest first.")
    budgets: list[TierBudgetOut]


class BudgetsIn(Body):
    """Daily budgets to play through."""

    budgets: dict[Name, Annotated[float, Field(ge=0, le=1e12)] | None] = Field(
        description="Tier -> currency a day; null or absent for no limit."
    )
    items_per_day: float | None = Field(
        None, gt=0, le=1e12, description="That share them; as many as came lately unless given."
    )


class ForecastOut(BaseModel):
    """What budgets buy, by the posteriors of recent items."""

    accuracy: float = Field(description="Expected share of right labels.")
    certified: float = Field(description="Share of items that pass by themselves.")
    people: float = Field(description="Share of items about which others are asked.")
    cost_per_day: float = Field(description="Currency, without the audits of windows.")
    answers_per_day: dict[str, float] = Field(description="Tier -> answers.")


class WhatIfOut(BaseModel):
    """What these budgets would do."""

    items_per_day: float | None = Field(description="Null if nobody knows; then there is no forecast.")
    audits_per_day: float = Field(description="Currency a day for audits of windows, which are paid first.")
    forecast: ForecastOut | None
    guesses: list[str] = Field(description="What rests on no figure.")
