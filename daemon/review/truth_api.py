"""The API of known labels: what control questions are judged by."""

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from daemon.core.truth_ports import KnownLabel
from daemon.review import visits
from daemon.review.bodies import SAID, Body, Done, Said
from daemon.review.problems import Problem, Refused
from daemon.review.rendering import label_name, snippet
from daemon.review.services import ReviewServices
from labeling_functions.label_space import LabelSpace


class KnownLabelOut(BaseModel):
    """A label that somebody vouches for."""

    item: str
    text: str | None = Field(description="The beginning of the item's text; null while it has not come.")
    label: Said = Field(description=SAID)
    source: str = Field(description="Who vouches for it.")
    at: int = Field(description="Since when, milliseconds since 1970, UTC.")


class KnownLabelsOut(BaseModel):
    """Known labels, newest first."""

    truths: list[KnownLabelOut]


class NewTruth(Body):
    """An item's known label."""

    item: str = Field(min_length=1, max_length=512, description="Id of the item; it may still have to come.")
    label: Said = Field(description=SAID)


class OldTruth(Body):
    """A label that nobody vouches for any longer."""

    item: str = Field(min_length=1, max_length=512, description="Id of the item.")


def build(services: ReviewServices) -> APIRouter:
    """All calls, to put under /api."""
    router = APIRouter(prefix="/truths", tags=["people"])
    store, space = services.truths, services.task.space

    @router.get("")
    def get_truths(limit: int = Query(50, ge=1, le=500, description="At most so many.")) -> KnownLabelsOut:
        """Labels that somebody vouches for: control questions are about their items."""
        return KnownLabelsOut(truths=[_known(one, space) for one in store.known_labels(limit)])

    @router.post(
        "", responses={422: {"model": Problem, "description": "The body is not what the call needs."}}
    )
    def vouch(body: NewTruth) -> Done:
        """Vouch for an item's label, whatever it was before."""
        try:
            label = space.label_of(body.label)
        except ValueError as error:
            raise Refused(422, str(error), "name classes of the task as GET /api/task lists them") from None
        store.vouch(body.item, label, visits.current().actor)
        return Done()

    @router.post(
        "/forget", responses={404: {"model": Problem, "description": "Nobody vouches for a label of it."}}
    )
    def forget(body: OldTruth) -> Done:
        """Vouch for an item's label no longer; answers that it judged stay as they are."""
        if not store.forget(body.item, visits.current().actor):
            raise Refused(404, f"nobody vouches for a label of {body.item!r}", "GET /api/truths lists them")
        return Done()

    return router


def _known(one: KnownLabel, space: LabelSpace) -> KnownLabelOut:
    return KnownLabelOut(
        item=one.item,
        text=None if one.payload is None else snippet(one.payload),
        label=label_name(one.label, space),
        source=one.source,
        at=one.at,
    )
