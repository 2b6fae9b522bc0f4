"""What a monitoring system asks the pages' server: /metrics and /healthz."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from daemon.core.loop_metrics import loop_samples
from daemon.core.report_rows import Overview
from daemon.review.bodies import Done
from daemon.review.services import ReviewServices


def build(services: ReviewServices, overview: Callable[[], Overview]) -> APIRouter:
    """Both calls."""
    router = APIRouter(tags=["reporting"])

    @router.get("/healthz")
    def healthz() -> Done:
        """The server answers."""
        return Done()

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def metrics(request: Request) -> Response:
        """The state of the whole loop for Prometheus, at most a second old."""
        samples = loop_samples(overview(), services.guarantee, services.currency)
        text, kind = services.expose(samples, request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": kind})

    return router
