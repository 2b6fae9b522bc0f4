"""The pages that people open: who are you, review, dashboard, insights, one item, the API's description."""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from daemon.core.decoding import decode_stored
from daemon.core.errors import RegistryUnavailable, TracesUnavailable
from daemon.core.run_pages import RunPages
from daemon.core.traces import TracePages
from daemon.review import rendering, visits
from daemon.review.api import find_item
from daemon.review.api_pages import calls_by_group
from daemon.review.bodies import Done, Enrollment, FieldOut, ItemOut
from daemon.review.identity import check_name, check_tier, own_tiers
from daemon.review.problems import Refused
from daemon.review.services import ReviewServices
from daemon.review.shortcuts import merged
from daemon.review.showing import images_out
from daemon.review.story_view import item_out
from labeling_functions.pairs import FIELDS
from labeling_functions.task import PREFERENCE, Task

CHOICE_ANSWERS = (
    ("A", "Response 1 is better"),
    ("B", "Response 2 is better"),
    ("tie", "Neither is better"),
)
SCALE_ANSWERS = (
    ("1", "Response 1 is much better"),
    ("2", "Response 1 is better"),
    ("3", "Neither is better"),
    ("4", "Response 2 is better"),
    ("5", "Response 2 is much better"),
)

HERE = Path(__file__).parent
COOKIE = "labelloop_reviewer"
COOKIE_SECONDS = 30 * 86_400


class Reviewer(msgspec.Struct, frozen=True):
    """Who sits at this browser, as its cookie says."""

    name: str
    tier: str


_reviewer = msgspec.json.Decoder(Reviewer)


class Templates:
    """Renders pages; whatever is put in is escaped."""

    def __init__(self, services: ReviewServices) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["moment"] = rendering.moment
        self._environment.globals.update(
            run=services.run_name,
            task=services.task,
            mlflow_url=services.mlflow_url,
            has_traces=services.traces is not None,
            has_runs=services.runs is not None,
            currency=services.currency,
        )

    def page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page from a template."""
        page = self._environment.get_template(name)
        return HTMLResponse(page.render(visit=visits.current(), **values), status)

    def missing(self, error: str, help_: str, status: int = 404, title: str = "Not found") -> HTMLResponse:
        """The page for what there is not."""
        return self.page("missing.html", status, error=error, help=help_, title=title)


def build(services: ReviewServices, templates: Templates, app: FastAPI) -> APIRouter:
    """All pages."""
    router = APIRouter(include_in_schema=False)
    _entering(router, services, templates)
    _reviewing(router, services, templates)
    _watching(router, services, templates, app)
    return router


def _entering(router: APIRouter, services: ReviewServices, templates: Templates) -> None:
    @router.get("/")
    def start(request: Request) -> Response:
        return templates.page("start.html", known=_known(request, services), tiers=own_tiers(services))

    @router.post("/enter")
    def enter(body: Enrollment, response: Response) -> Done:
        check_name(body.name)
        check_tier(body.tier, services)
        services.questions.enroll(body.name, body.tier)
        cookie = _cookie(Reviewer(body.name, body.tier))
        response.set_cookie(
            COOKIE, cookie, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict"
        )
        return Done()


def _reviewing(router: APIRouter, services: ReviewServices, templates: Templates) -> None:
    guidelines = rendering.guidelines_html(services.task.guidelines)
    keys = merged(services.settings.keys)

    @router.get("/review")
    def review(request: Request) -> Response:
        known = _known(request, services)
        if known is None or known.tier not in own_tiers(services):
            return RedirectResponse("/", 303)
        person = services.questions.enroll(known.name, known.tier)
        known_actions = actions(services.task)
        return templates.page(
            "review.html",
            person=person,
            others=[tier for tier in own_tiers(services) if tier != known.tier],
            guidelines=guidelines,
            prefetch=services.settings.prefetch,
            lease_seconds=services.tiers[known.tier].lease_seconds,
            pair_answers=pair_answers(services.task),
            keys={action: keys[action] for action, _ in known_actions},
            actions=known_actions,
        )


def pair_answers(task: Task) -> Sequence[tuple[str, str]]:
    """(what is sent, what the button says) of a preference task, with A shown first; none of other tasks."""
    if task.kind != PREFERENCE:
        return ()
    return SCALE_ANSWERS if task.scale else CHOICE_ANSWERS


def actions(task: Task) -> list[tuple[str, str]]:
    """(action, what it does) of everything on the review page that has a key, in the order of its help."""
    names = [name for _, name in pair_answers(task)] or task.classes
    said = [(f"answer_{number}", name) for number, name in enumerate(names[:10], 1)]
    undo = "take the last answer back, sent or not" + (", with what was chosen" if task.space.sets else "")
    return [
        *said,
        ("skip", "skip: somebody else gets the item"),
        ("undo", undo),
        ("flag", "flag: somebody above is asked about the item"),
        ("guidelines", "show or hide the guidelines"),
        ("help", "show these keys"),
    ]


def sides_of(item: ItemOut, task: Task) -> Sequence[FieldOut]:
    """The two responses of a pair, A first; none of other tasks."""
    by_name = {field.name: field for field in item.fields}
    return [by_name[name] for name in FIELDS[1:]] if task.kind == PREFERENCE else ()


def _watching(router: APIRouter, services: ReviewServices, templates: Templates, app: FastAPI) -> None:
    @router.get("/dashboard")
    def dashboard() -> Response:
        return templates.page("dashboard.html")

    @router.get("/insights")
    def insights() -> Response:
        return templates.page("insights.html")

    @router.get("/lead")
    def lead() -> Response:
        return templates.page("lead.html")

    @router.get("/items/{id:path}")
    def item(id: str) -> Response:
        try:
            story = find_item(id, services)
        except Refused as error:
            return templates.missing(str(error), error.help)
        told = item_out(story, services.task.space)
        return templates.page(
            "item.html",
            item=told,
            sides=sides_of(told, services.task),
            images=images_out(decode_stored(story.payload), services),
        )

    @router.get("/traces/{id}")
    def trace(id: str) -> Response:
        return _trace(id, services.traces, templates)

    @router.get("/runs/{id}")
    def run(id: str) -> Response:
        return _run(id, services.runs, templates)

    @router.get("/api/docs")
    def docs() -> Response:
        return templates.page("docs.html", groups=calls_by_group(app.openapi()))


def _trace(id_: str, pages: TracePages | None, templates: Templates) -> Response:
    """On to the page where a language model's prompt and answer are read."""
    try:
        address = None if pages is None else pages.address(id_)
    except TracesUnavailable as error:
        return templates.missing(str(error), "try again when it runs", 503, "Not there now")
    if address is None:
        return templates.missing(
            f"there is no trace {id_}",
            "it comes a few seconds after its answer, unless it was dropped while MLflow was out of reach",
        )
    return RedirectResponse(address, 303)


def _run(id_: str, pages: RunPages | None, templates: Templates) -> Response:
    """On to the page of a training run."""
    try:
        address = None if pages is None else pages.address(id_)
    except RegistryUnavailable as error:
        return templates.missing(str(error), "try again when it runs", 503, "Not there now")
    if address is None:
        return templates.missing(f"there is no training run {id_}", "it may have been deleted in MLflow")
    return RedirectResponse(address, 303)


def _known(request: Request, services: ReviewServices) -> Reviewer | None:
    """Who sits there, and the tier they chose last; an account for one tier has no choice."""
    chosen = read_cookie(request)
    account = visits.current().account
    if account is None:
        return chosen
    if chosen is not None and chosen.name == account.name:
        return chosen
    tiers = list(own_tiers(services))
    return Reviewer(account.name, tiers[0]) if len(tiers) == 1 else None


def read_cookie(request: Request) -> Reviewer | None:
    """Who sits there; None if nobody said so, or in a form that we did not write."""
    value = request.cookies.get(COOKIE)
    if value is None:
        return None
    try:
        return _reviewer.decode(base64.urlsafe_b64decode(value))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None


def _cookie(reviewer: Reviewer) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(reviewer)).decode()
