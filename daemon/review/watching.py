"""What a monitoring system asks the pages' server: /metrics, /healthz and /readyz."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from daemon.core.loop_metrics import loop_samples
from daemon.core.report_rows import Overview
from daemon.review.bodies import Done
from daemon.review.services import ReviewServices


class ReadyOut(BaseModel):
    """Whether calls can be served now."""

    ready: bool
    missing: dict[str, str] = Field(description="What is not there, and how that shows.")


def build(services: ReviewServices, overview: Callable[[], Overview]) -> APIRouter:
    """The three calls."""
    router = APIRouter(tags=["reporting"])

    @router.get("/healthz")
    def healthz() -> Done:
        """The server answers."""
        return Done()

    @router.get("/readyz", responses={503: {"model": ReadyOut, "description": "Something is missing."}})
    def readyz(response: Response) -> ReadyOut:
        """What the server needs is there: the database."""
        missing = services.readiness.missing()
        response.status_code = 503 if missing else 200
        return ReadyOut(ready=not missing, missing=missing)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def metrics(request: Request) -> Response:
        """The state of the whole loop for Prometheus, at most a second old."""
        samples = loop_samples(overview(), services.guarantee, services.currency)
        text, kind = services.expose(samples, request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": kind})

    return router
