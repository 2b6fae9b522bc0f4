"""The REST API: what outside queues and the pages call."""

import threading
import time
from typing import Any

from fastapi import APIRouter, Query

from daemon.core.account_rules import Right
from daemon.core.report_rows import Overview
from daemon.core.story_rows import ItemStory
from daemon.review import agreement_api, erring_api, lead_api, truth_api, visits
from daemon.review.bodies import (
    AnswerOut,
    Done,
    Enrollment,
    Flag,
    ItemOut,
    LabelsOut,
    LeasesOut,
    LeaseWish,
    NewAnswer,
    QueuesOut,
    ReviewerOut,
    Skip,
    TaskOut,
    Undo,
    UndoOut,
)
from daemon.review.identity import check_name, check_reviewer, check_tier, own_tiers
from daemon.review.insight_bodies import InsightsOut
from daemon.review.insight_view import SharedInsights
from daemon.review.problems import Problem, Refused
from daemon.review.services import ReviewServices
from daemon.review.showing import lease_out
from daemon.review.story_view import item_out, label_out
from daemon.review.summary import OverviewOut, queues, summarize, without_purposes
from labeling_functions.pairs import SCALE
from labeling_functions.task import Task

OVERVIEW_SECONDS = 1.0

Responses = dict[int | str, dict[str, Any]]

NOT_FOUND: Responses = {404: {"model": Problem, "description": "There is no such thing."}}
LOST: Responses = {
    404: {"model": Problem, "description": "Nobody has this reviewer id."},
    409: {"model": Problem, "description": "The question is not there for this reviewer any more."},
}
INVALID: Responses = {422: {"model": Problem, "description": "The body is not what the call needs."}}


class SharedOverview:
    """One look at the database for all dashboards that ask within a second."""

    def __init__(self, services: ReviewServices) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._overview: Overview | None = None

    def get(self) -> Overview:
        """The overview, at most a second old."""
        with self._lock:
            if self._overview is None or time.monotonic() - self._read_at > OVERVIEW_SECONDS:
                self._overview = self._services.reports.overview()
                self._read_at = time.monotonic()
            return self._overview


def build(services: ReviewServices, shared: SharedOverview) -> APIRouter:
    """All calls under /api."""
    router = APIRouter(prefix="/api")
    _enrolling(router, services)
    _answering(router, services)
    _giving_back(router, services)
    _reporting(router, services, shared)
    router.include_router(lead_api.build(services, shared.get))
    router.include_router(truth_api.build(services))
    router.include_router(agreement_api.build(services))
    router.include_router(erring_api.build(services))
    _insights(router, SharedInsights(services))
    return router


def _enrolling(router: APIRouter, services: ReviewServices) -> None:
    task = services.task

    @router.get("/task", tags=["reviewing"])
    def get_task() -> TaskOut:
        """What is asked, which answers there are, and which tiers can be enrolled in."""
        return TaskOut(
            name=task.name,
            kind=task.kind,
            classes=list(task.classes),
            descriptions=dict(task.descriptions),
            guidelines=task.guidelines,
            tiers=list(own_tiers(services)),
            scale=task.scale,
        )

    @router.post("/reviewers", tags=["reviewing"], responses=INVALID)
    def enroll(body: Enrollment) -> ReviewerOut:
        """Register a reviewer, or find them: the same name and tier give the same id."""
        check_name(body.name)
        check_tier(body.tier, services)
        person = services.questions.enroll(body.name, body.tier)
        return ReviewerOut(id=person.id, name=person.name, tier=person.tier)


def _answering(router: APIRouter, services: ReviewServices) -> None:
    store = services.questions

    @router.post("/leases", tags=["reviewing"], responses={**NOT_FOUND, **INVALID})
    def lease(body: LeaseWish) -> LeasesOut:
        """Hold up to `count` items for a while; those already held come first, with a new lease."""
        check_reviewer(body.reviewer, services)
        check_tier(body.tier, services)
        seconds = services.tiers[body.tier].lease_seconds
        leases = store.lease(body.reviewer, body.tier, body.count, seconds)
        unpaid = 0 if leases else store.unpaid(body.tier)
        return LeasesOut(leases=[lease_out(one, services) for one in leases], unpaid=unpaid)

    @router.post("/answers", tags=["reviewing"], responses={**LOST, **INVALID})
    def answer(body: NewAnswer) -> AnswerOut:
        """Answer a leased question. Repeating the same answer changes nothing."""
        check_reviewer(body.reviewer, services)
        label, probabilities = answer_of(body, services.task)
        store.answer(body.question, body.reviewer, label, body.seconds, probabilities)
        return AnswerOut(question=body.question)


def _giving_back(router: APIRouter, services: ReviewServices) -> None:
    """Questions that go to somebody else, up a tier, or back to who answered them."""
    store = services.questions

    @router.post("/skips", tags=["reviewing"], responses={**LOST, **INVALID})
    def skip(body: Skip) -> Done:
        """Leave a question to somebody else; this reviewer will not get the item again."""
        check_reviewer(body.reviewer, services)
        store.skip(body.question, body.reviewer)
        return Done()

    @router.post("/flags", tags=["reviewing"], responses={**LOST, **INVALID})
    def flag(body: Flag) -> Done:
        """Ask that the item goes up a tier; this reviewer will not get it again."""
        check_reviewer(body.reviewer, services)
        store.flag(body.question, body.reviewer, body.note)
        return Done()

    @router.post("/undo", tags=["reviewing"], responses={**NOT_FOUND, **INVALID})
    def undo(body: Undo) -> UndoOut:
        """Take the reviewer's last answer back and hold its question again."""
        check_reviewer(body.reviewer, services)
        seconds = max(tier.lease_seconds for tier in services.tiers.values())
        again = store.undo(body.reviewer, seconds, body.question)
        return UndoOut(lease=None if again is None else lease_out(again, services))


def _insights(router: APIRouter, shared: SharedInsights) -> None:
    @router.get("/insights", tags=["reporting"])
    def get_insights() -> InsightsOut:
        """How good functions and automatic labels are, and what labels cost; at most half a minute old."""
        return shared.get()


def _reporting(router: APIRouter, services: ReviewServices, shared: SharedOverview) -> None:
    space = services.task.space

    @router.get("/queues", tags=["reporting"])
    def get_queues() -> QueuesOut:
        """How many questions wait, by tier and purpose; to reviewers of their tiers alone, purpose `all`."""
        found = queues(shared.get())
        if not visits.current().may(Right.WATCH):
            found = without_purposes([queue for queue in found if queue.tier in own_tiers(services)])
        return QueuesOut(queues=found)

    @router.get("/overview", tags=["reporting"])
    def get_overview() -> OverviewOut:
        """Everything that the dashboard shows; at most a second old."""
        return summarize(shared.get(), services)

    @router.get("/items/{id:path}", tags=["reporting"], responses=NOT_FOUND)
    def get_item(id: str) -> ItemOut:
        """Everything about one item: votes, posterior, answers, published labels, questions."""
        return item_out(find_item(id, services), space)

    @router.get("/labels", tags=["reporting"], responses=INVALID)
    def get_labels(limit: int = Query(20, ge=1, le=500, description="At most so many.")) -> LabelsOut:
        """Current labels of items that came or were answered lately, newest label first."""
        rows = services.reports.recent_labels(limit)
        return LabelsOut(labels=[label_out(row, space) for row in rows])


def find_item(id_: str, services: ReviewServices) -> ItemStory:
    """The item's story; raises Refused if there is none."""
    story = services.reports.item(id_)
    if story is None:
        raise Refused(404, f"there is no item {id_!r}", "ids are those of topic `items`; check the spelling")
    return story


def answer_of(body: NewAnswer, task: Task) -> tuple[int, tuple[float, ...] | None]:
    """The label, and probabilities where the answer is a point of a scale; raises Refused for others."""
    known = f"the classes: {', '.join(task.classes)}{', or 1 to 5' if task.scale else ''}"
    said, other = (body.labels, body.label) if task.space.sets else (body.label, body.labels)
    if other is not None or said is None:
        raise _otherwise(task, known)
    if task.scale and said in SCALE:
        return SCALE[str(said)]
    named = [said] if isinstance(said, str) else said
    if unknown := [name for name in named if name not in task.classes]:
        field = "labels" if task.space.sets else "label"
        raise Refused(422, f"{field}: {unknown[0]!r} is not a class of this task", known)
    return task.space.label_of(said), None


def _otherwise(task: Task, known: str) -> Refused:
    """What to send, to somebody who sent nothing or what is for tasks of the other sort."""
    if task.space.sets:
        wanted = "labels: a list of the classes that apply is wanted, and no label"
        return Refused(422, wanted, f"any number may apply, and [] says that none does; {known}")
    return Refused(422, "label: the name of one class is wanted, and no labels", known)
