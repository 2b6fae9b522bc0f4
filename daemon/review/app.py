"""The web application: REST API, pages, and their server."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from daemon.review import (
    access,
    access_docs,
    account_api,
    account_pages,
    api,
    guard,
    pages,
    people_api,
    problems,
    reviewers_api,
    watching,
)
from daemon.review.services import ReviewServices
from daemon.review.settings import ReviewSettings

__all__ = ["ReviewServices", "ReviewSettings", "create_app", "serve"]

STATIC = Path(__file__).parent / "static"
SWITCH_SECONDS = 0.0005
"""After which a thread that computes lets another one go on. A call asks the database a dozen times, and with
Python's 5 ms each answer may wait that long for the thread of another call."""

GRACE_SECONDS = 5


def create_app(services: ReviewServices) -> FastAPI:
    """The application with everything that it needs handed in."""
    app = FastAPI(
        title="Labelloop",
        version=version("labelloop"),
        description="Questions for people and their answers, and the state of the loop.",
        docs_url=None,
        redoc_url=None,
    )
    templates = pages.Templates(services)
    access.install(app, access.Door(services.desk, services.settings, templates.missing))
    guard.install(app, services.settings)  # around the door: its headers stand on every answer
    problems.install(app, templates.missing)
    app.include_router(pages.build(services, templates, app))
    app.include_router(account_pages.build(services, templates))
    app.include_router(account_api.build(services))
    app.include_router(people_api.build(services))
    app.include_router(reviewers_api.build(services))
    shared = api.SharedOverview(services)
    app.include_router(api.build(services, shared))
    app.include_router(watching.build(services, shared.get))
    access_docs.install(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    return app


def serve(app: FastAPI, settings: ReviewSettings) -> None:
    """Serve until SIGTERM or SIGINT; calls at hand are finished first."""
    sys.setswitchinterval(SWITCH_SECONDS)
    uvicorn.run(app, **server_options(settings))


def server_options(settings: ReviewSettings) -> dict[str, Any]:
    """How uvicorn serves the pages. Unless told so it would believe every program of this machine about the
    caller's address and scheme.
    """
    return {
        "host": settings.host,
        "port": settings.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": list(settings.proxies),
        "timeout_graceful_shutdown": GRACE_SECONDS,
    }
