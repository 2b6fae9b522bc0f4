"""Who errs how, for whoever leads people: each one's confusion matrix."""

import math
from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daemon.core.erring import Erring
from daemon.review.services import ReviewServices


class RightOut(BaseModel):
    """How often an answer names the class that the item is of."""

    share: float
    low: float = Field(description="Of a 95 % interval, as `high`.")
    high: float


class ErringOut(BaseModel):
    """One person, or of a multilabel task one person and class."""

    reviewer: int | None = Field(description="Id; null for those of the tier with too few answers yet.")
    name: str | None = Field(description="Theirs; null as the id is.")
    tier: str
    about: str = Field(description="Of a multilabel task, the class that applies or does not; else empty.")
    options: list[str]
    expected: list[list[float]] = Field(
        description="Answers that the models expect, a row for each true class, in columns what was said."
    )
    right: list[RightOut | None] = Field(description="By true class; null where no item of it is expected.")


class ErringsOut(BaseModel):
    """Everybody whom the models that decide now have learned, by tier."""

    people: list[ErringOut]


def build(services: ReviewServices) -> APIRouter:
    """The call to put under /api."""
    router = APIRouter(tags=["leading"])

    @router.get("/confusions")
    def get_confusions() -> ErringsOut:
        """How each person answers on items of each class, by the tables that weigh their votes."""
        names = {one.id: one.name for one in services.reviewers.reviewers()}
        return ErringsOut(people=[_told(one, names) for one in services.erring.erring()])

    return router


def _told(one: Erring, names: Mapping[int, str]) -> ErringOut:
    return ErringOut(
        reviewer=one.annotator,
        name=None if one.annotator is None else names.get(one.annotator),
        tier=one.tier,
        about=one.about,
        options=list(one.options),
        expected=one.expected.T.tolist(),
        right=[
            None if math.isnan(share) else RightOut(share=share, low=low, high=high)
            for share, low, high in one.right.tolist()
        ],
    )
