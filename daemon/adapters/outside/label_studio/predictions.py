"""The ML backend that a Label Studio calls: what our classifier says of tasks there.

The calls are those of Label Studio's ML backends (https://labelstud.io/guide/ml_create).
"""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

from daemon.adapters.outside.label_studio.labeling import MODEL_VERSION
from daemon.adapters.outside.label_studio.queue import MARK
from labeling_functions.label_space import LabelSpace

CONTROLS = {"Choices": "choices", "Rating": "rating"}
"""Tag that people answer with -> type of its results."""

Predict = Callable[[Sequence[str]], Sequence[tuple[int, float]] | None]
"""Label of each text, and how likely it is right; None while nothing is learned."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a project's labeling config asks for: our tag, what it is about, and which answers it takes.

    Attributes:
        name, shown, kind: of results. key: of a task's data that holds the text.
        values: answers that can be given; empty for stars.
    """

    name: str
    shown: str
    kind: str
    key: str
    values: frozenset[str]


class Wanted(BaseModel):
    """What Label Studio sends to have tasks predicted; more keys are ignored."""

    tasks: list[dict[str, Any]] = []
    label_config: str = ""


def create_backend(space: LabelSpace, stars: bool, predict: Predict, token: str) -> FastAPI:
    """The application.

    Args:
        stars: whether the classes are steps of a scale, which a `Rating` may show.
        token: what callers show, as a bearer token or as the password of any user.
    """
    app = FastAPI(title="Labelloop for Label Studio", docs_url=None, redoc_url=None, openapi_url=None)

    def check(request: Request) -> None:
        if not hmac.compare_digest(_shown(request.headers.get("authorization", "")), token.encode()):
            raise HTTPException(401, "the token is wrong", {"WWW-Authenticate": "Basic"})

    allowed = [Depends(check)]

    @app.get("/health")
    @app.get("/")
    def health() -> dict[str, str]:
        return {"status": "UP", "model_class": "Labelloop"}

    @app.post("/setup", dependencies=allowed)
    def setup() -> dict[str, str]:
        return {"model_version": MODEL_VERSION}

    @app.post("/webhook", dependencies=allowed)
    def webhook() -> dict[str, str]:
        # Labelloop learns from answers to its own questions, which it collects itself.
        return {"status": "ok"}

    @app.post("/predict", dependencies=allowed)
    def predictions(wanted: Wanted) -> dict[str, Any]:
        form = form_of(wanted.label_config)
        return {"results": results(wanted.tasks, form, space, stars, predict), "model_version": MODEL_VERSION}

    return app


def form_of(config: str) -> Form | None:
    """Of a labeling config; None if nothing in it can be answered with a class of ours."""
    try:
        view = ElementTree.fromstring(config)
    except ElementTree.ParseError:
        return None
    for tag, kind in CONTROLS.items():
        for control in view.iter(tag):
            shown = control.get("toName", "")
            about = next((one for one in view.iter() if one.get("name") == shown), None)
            if about is not None and (key := about.get("value", "")).startswith("$"):
                values = frozenset(
                    one.get("alias") or one.get("value") or "" for one in control.iter("Choice")
                )
                return Form(control.get("name", ""), shown, kind, key[1:], values)
    return None


def results(
    tasks: Sequence[Mapping[str, Any]], form: Form | None, space: LabelSpace, stars: bool, predict: Predict
) -> list[dict[str, Any]]:
    """A prediction for each task, empty where there is none.

    There is none for our own questions: those that may show a suggestion have it already, and the others,
    blind ones above all, must show none.
    """
    made: list[dict[str, Any]] = [{"result": [], "score": 0.0, "model_version": MODEL_VERSION} for _ in tasks]
    if form is None or (form.kind == "rating") != stars:
        return made
    read = {place: _text(task, form) for place, task in enumerate(tasks)}
    texts = {place: text for place, text in read.items() if text is not None}
    said = predict(list(texts.values())) if texts else None
    for place, (label, sure) in zip(texts, said or (), strict=False):
        if result := _result(label, form, space):
            made[place] |= {"result": [result], "score": round(sure, 4)}
    return made


def _text(task: Mapping[str, Any], form: Form) -> str | None:
    """What is to be labeled; None of our own questions, and where there is no text."""
    text = (task.get("data") or {}).get(form.key)
    return text if isinstance(text, str) and MARK not in (task.get("meta") or {}) else None


def _result(label: int, form: Form, space: LabelSpace) -> dict[str, Any] | None:
    told = {"from_name": form.name, "to_name": form.shown, "type": form.kind}
    if form.kind == "rating":
        return {**told, "value": {"rating": label + 1}}
    names = [space.classes[place] for place in space.members(label)]
    return {**told, "value": {"choices": names}} if names and form.values.issuperset(names) else None


def _shown(header: str) -> bytes:
    """The token of an Authorization header; empty if it holds none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode()
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2]
    except ValueError:  # of which binascii's are some; the others are signs that no header should hold
        return b""
