"""How far people agree, for those who lead them."""

import math
import threading
import time

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daemon.core.agreement import READ, by_tier
from daemon.core.agreement_rows import TierAgreement
from daemon.review.services import ReviewServices
from models.agreement import Agreement

SECONDS = 30.0
"""How long a process tells the same figures."""


class AgreementOut(BaseModel):
    """Figures of one set of items; null where they say nothing."""

    items: int = Field(description="Items that two people or more answered.")
    votes: int = Field(description="Answers to these.")
    percent: float | None = Field(description="Share of agreeing pairs of answers, 0 to 1.")
    fleiss: float | None = Field(description="Fleiss' kappa: 1 is full agreement, 0 what chance gives.")
    alpha: float | None = Field(description="Krippendorff's alpha, nominal; read as kappa.")
    interval: tuple[float, float] | None = Field(description="95 % of alpha, over items drawn anew.")


class PairOut(BaseModel):
    """Two people with ten items in common or more."""

    names: tuple[str, str]
    items: int
    kappa: float | None = Field(description="Cohen's kappa; null where both only ever said the same.")


class WithOthersOut(BaseModel):
    """Somebody's answers beside those of others on the same items."""

    name: str
    pairs: int
    same: int = Field(description="How many of these pairs say the same.")


class TierAgreementOut(BaseModel):
    """How far the people of a tier agree."""

    tier: str
    all: AgreementOut
    by_class: dict[str, AgreementOut] = Field(description="On whether it is this class, or applies.")
    by_day: dict[str, AgreementOut] = Field(description="By UTC day of an item's last answer.")
    pairs: list[PairOut] = Field(description="At most 20, with most items in common first.")
    people: list[WithOthersOut]


class TiersAgreementOut(BaseModel):
    """Tiers where two people answered the same item, by name."""

    tiers: list[TierAgreementOut]
    answers: int = Field(description="Newest answers that were looked at, 20,000 at most.")


class SharedAgreement:
    """One look at the answers for all who ask within half a minute."""

    def __init__(self, services: ReviewServices) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._read_at = -math.inf
        self._told = TiersAgreementOut(tiers=[], answers=0)

    def get(self) -> TiersAgreementOut:
        """The figures, at most half a minute old."""
        with self._lock:
            if time.monotonic() - self._read_at > SECONDS:
                given = self._services.given.newest_answers(READ)
                found = by_tier(given, self._services.task.classes)
                self._told = TiersAgreementOut(tiers=[_tier(one) for one in found], answers=len(given))
                self._read_at = time.monotonic()
            return self._told


def build(services: ReviewServices) -> APIRouter:
    """The call to put under /api."""
    router = APIRouter(tags=["leading"])
    shared = SharedAgreement(services)

    @router.get("/agreement")
    def get_agreement() -> TiersAgreementOut:
        """How far people agree: by tier, class, day, pair and person; at most half a minute old."""
        return shared.get()

    return router


def _tier(one: TierAgreement) -> TierAgreementOut:
    return TierAgreementOut(
        tier=one.tier,
        all=_figures(one.all),
        by_class={name: _figures(found) for name, found in one.by_class.items()},
        by_day={day: _figures(found) for day, found in one.by_day.items()},
        pairs=[
            PairOut(names=(pair.one, pair.other), items=pair.items, kappa=_known(pair.kappa))
            for pair in one.pairs
        ],
        people=[WithOthersOut(name=who.name, pairs=who.pairs, same=who.same) for who in one.people],
    )


def _figures(found: Agreement) -> AgreementOut:
    return AgreementOut(
        items=found.items,
        votes=found.votes,
        percent=_known(found.percent),
        fleiss=_known(found.fleiss),
        alpha=_known(found.alpha),
        interval=None if math.isnan(found.low) else (found.low, found.high),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
