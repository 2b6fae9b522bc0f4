"""The API of those who lead reviewers: how they answer, and who is paused."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daemon.core.reviewer_rows import ReviewerRecord
from daemon.core.settings import MICROS
from daemon.core.states import PersonState
from daemon.review import visits
from daemon.review.bodies import Body, Done, Id
from daemon.review.problems import Problem
from daemon.review.services import ReviewServices
from labeling_functions.analysis import wilson


class ReviewerStandingOut(BaseModel):
    """Somebody who reviews in a tier; who reviews in two is there twice."""

    id: int
    name: str
    tier: str
    state: PersonState = Field(description="`paused`: no questions, and no answers taken, until let go on.")
    note: str | None = Field(description="Why, or what was said when it changed last.")
    since: int | None = Field(description="When it changed last, milliseconds since 1970, UTC.")
    answers: int = Field(description="Standing answers, those to control questions apart.")
    seconds: float = Field(description="Median of the newest answers.")
    controls: int = Field(description="Counted answers to control questions: the last 50 since let go on.")
    right: int = Field(description="How many of these are right.")
    interval: tuple[float, float] | None = Field(description="95 % interval of the share right (Wilson).")
    suspicions: list[str] = Field(
        description="What looks like clicking without reading: answers much faster than the others', or too "
        "often the same in a row."
    )
    paid: float = Field(description="For all answers, in the currency of the tiers.")


class ReviewersOut(BaseModel):
    """Everybody who ever enrolled, by tier and name."""

    reviewers: list[ReviewerStandingOut]


class ReviewerState(Body):
    """Whether somebody gets questions."""

    reviewer: Id = Field(description="Whom.")
    state: PersonState
    note: str = Field("", max_length=500, description="Why; a paused reviewer reads it.")


def build(services: ReviewServices) -> APIRouter:
    """The calls under /api/reviewers that are not a reviewer's own."""
    router = APIRouter(prefix="/api/reviewers", tags=["people"])

    @router.get("")
    def get_reviewers() -> ReviewersOut:
        """How everybody answers, and who is paused."""
        return ReviewersOut(reviewers=[_standing(one) for one in services.reviewers.reviewers()])

    @router.post("/state", responses={404: {"model": Problem, "description": "Nobody has this id."}})
    def set_state(body: ReviewerState) -> Done:
        """Pause somebody, or let them go on; then their control questions are counted anew."""
        services.reviewers.set_state(body.reviewer, body.state, body.note, visits.current().actor)
        return Done()

    return router


def _standing(one: ReviewerRecord) -> ReviewerStandingOut:
    return ReviewerStandingOut(
        id=one.id,
        name=one.name,
        tier=one.tier,
        state=one.state,
        note=one.note,
        since=one.since,
        answers=one.answers,
        seconds=one.seconds,
        controls=one.controls,
        right=one.right,
        interval=wilson(one.right, one.controls) if one.controls else None,
        suspicions=list(one.suspicions),
        paid=one.micros / MICROS,
    )
