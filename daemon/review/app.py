"""The web application: REST API, pages, and their server."""

import logging
from importlib.metadata import version
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from daemon.review import api, guard, pages, problems
from daemon.review.bodies import Done
from daemon.review.services import ReviewServices
from daemon.review.settings import ReviewSettings

__all__ = ["ReviewServices", "ReviewSettings", "create_app", "serve"]

STATIC = Path(__file__).parent / "static"
GRACE_SECONDS = 5

log = logging.getLogger(__name__)


def create_app(services: ReviewServices) -> FastAPI:
    """The application with everything that it needs handed in."""
    app = FastAPI(
        title="Labelloop",
        version=version("labelloop"),
        description="Questions for people and their answers, and the state of the loop.",
        docs_url=None,
        redoc_url=None,
    )
    guard.install(app, services.settings)
    templates = pages.Templates(services)
    problems.install(app, templates.missing)
    app.include_router(pages.build(services, templates, app))
    app.include_router(api.build(services))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/healthz", tags=["reporting"])
    def healthz() -> Done:
        """The server answers."""
        return Done()

    return app


def serve(app: FastAPI, settings: ReviewSettings) -> None:
    """Serve until SIGTERM or SIGINT; calls at hand are finished first."""
    if not settings.loopback_only:
        log.warning(
            "pages on %s can be reached from other machines and ask for no password; put a proxy with "
            "accounts before them, or set review.host to 127.0.0.1",
            settings.host,
            extra={"action": "review_open"},
        )
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
