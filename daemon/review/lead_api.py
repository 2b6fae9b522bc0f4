"""Calls for whoever looks after reviewers."""

from collections.abc import Callable

from fastapi import APIRouter

from daemon.core.report_rows import Overview
from daemon.review.lead_bodies import BudgetsIn, LeadOut, WhatIfOut
from daemon.review.lead_view import lead_out, what_if_out
from daemon.review.problems import Problem, Refused
from daemon.review.services import ReviewServices


def build(services: ReviewServices, overview: Callable[[], Overview]) -> APIRouter:
    """Calls to put under /api; `overview` gives one that is at most a second old."""
    router = APIRouter()

    @router.get("/lead", tags=["leading"])
    def get_lead() -> LeadOut:
        """Queues and when they will be empty, reviewers with pay, and disagreements."""
        reviewers = services.reviewers.reviewers()
        return lead_out(services.leading.lead_rows(), reviewers, overview(), services)

    @router.post(
        "/what-if",
        tags=["leading"],
        responses={422: {"model": Problem, "description": "The body is not what the call needs."}},
    )
    def what_if(body: BudgetsIn) -> WhatIfOut:
        """What daily budgets would do; nothing is changed."""
        if unknown := sorted(body.budgets.keys() - services.tiers.keys()):
            known = f"the tiers: {', '.join(services.tiers)}"
            raise Refused(422, f"budgets: there is no tier {unknown[0]!r}", known)
        return what_if_out(services.planner.what_if(body.budgets, body.items_per_day))

    return router
