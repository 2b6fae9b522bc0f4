"""The ML backend: who may call it, what it predicts, and what it leaves alone."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from daemon.adapters.outside.label_studio.labeling import config_of, label_of
from daemon.adapters.outside.label_studio.predictions import create_backend, form_of
from labeling_functions.task import Task

TOKEN = "a-token"
MAIL = Task("mail", ("ham", "spam"))
SETS = Task("topics", ("late", "broken"), kind="multilabel")
STARS = Task("stars", ("1", "2", "3"), kind="rating")
THEIRS = (
    '<View><Text name="mail" value="$body"/><Choices name="kind" toName="mail">'
    '<Choice value="ham"/><Choice value="spam"/></Choices></View>'
)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"any:{password}".encode()).decode()


def client(task: Task = MAIL, learned: bool = True, token: str = TOKEN) -> TestClient:
    def predict(texts: Sequence[str]) -> list[tuple[int, float]] | None:
        return [(int("win" in text), 0.9) for text in texts] if learned else None

    app = create_backend(task.space, task.is_ordered, predict, TOKEN)
    return TestClient(app, headers={"Authorization": basic(token)})


def predicted(on: TestClient, tasks: list[dict[str, Any]], config: str = THEIRS) -> list[dict[str, Any]]:
    body = {"tasks": tasks, "project": "3.1795697183", "label_config": config, "params": {"login": None}}
    answer = on.post("/predict", json=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_a_project_of_theirs_is_predicted_in_its_own_words() -> None:
    (one,) = predicted(client(), [{"id": 1, "data": {"body": "win!"}, "meta": {}}])
    assert one == {
        "result": [
            {"from_name": "kind", "to_name": "mail", "type": "choices", "value": {"choices": ["spam"]}}
        ],
        "score": 0.9,
        "model_version": "labelloop",
    }


@pytest.mark.parametrize("task", [MAIL, SETS, STARS], ids=lambda task: task.kind)
def test_what_is_predicted_reads_back_as_the_label(task: Task) -> None:
    (one,) = predicted(client(task), [{"data": {"text": "win"}}], config_of(task))
    assert label_of(task, one["result"]) == 1


def test_our_own_questions_get_no_prediction_and_keep_their_place() -> None:
    tasks = [{"data": {"body": "win"}, "meta": {"labelloop": 7}}, {"data": {"body": "win"}, "meta": None}]
    first, second = predicted(client(), tasks)
    assert (first["result"], bool(second["result"])) == ([], True)


@pytest.mark.parametrize(
    "config",
    ["", "<View", "<View/>", THEIRS.replace("$body", "fixed"), THEIRS.replace('"spam"', '"junk"')],
)
def test_a_project_that_asks_something_else_gets_none(config: str) -> None:
    assert [one["result"] for one in predicted(client(), [{"data": {"body": "win"}}], config)] == [[]]


def test_tasks_without_the_text_get_none() -> None:
    found = predicted(client(), [{"data": {"other": "win"}}, {"data": {"body": 7}}, {}])
    assert [one["result"] for one in found] == [[], [], []]
    assert predicted(client(learned=False), [{"data": {"body": "win"}}])[0]["result"] == []


def test_stars_are_not_told_in_classes_without_order() -> None:
    config = '<View><Text name="t" value="$body"/><Rating name="r" toName="t"/></View>'
    assert predicted(client(), [{"data": {"body": "win"}}], config)[0]["result"] == []
    assert form_of(config) is not None


def test_nobody_gets_in_without_the_token() -> None:
    for path in ("/predict", "/setup", "/webhook"):
        assert client(token="wrong").post(path, json={}).status_code == 401
        assert client().post(path, json={}, headers={"Authorization": "Basic ###"}).status_code == 401
        assert client().post(path, json={}, headers={"Authorization": b"Basic \xff"}).status_code == 401
        assert client().post(path, json={}, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client(token="wrong").get("/health").json()["status"] == "UP"
