"""Questions in Label Studio: one contract for the one in memory and, before a release, for a real one."""

import itertools
import json
import os
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from kafka_fixtures import wait_until
from label_studio_worlds import (
    RECORDING,
    RECORDINGS,
    FakeWorld,
    RealWorld,
    World,
    played,
    real_world,
    recorded,
    recorded_world,
    token_put_back,
)
from outside_tasks import MATCHES, PAIRS, STARS, payload_for
from starlette.testclient import TestClient

from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.adapters.outside.label_studio.labeling import config_of, label_of, result_of
from daemon.adapters.outside.label_studio.predictions import create_backend
from daemon.adapters.outside.label_studio.queue import LabelStudioQueue
from daemon.adapters.outside.label_studio.settings import LabelStudioSettings
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideUnavailable
from daemon.core.rows import Lease
from labeling_functions.task import Task

MAIL = Task("mail", ("ham", "spam & more"), guidelines="# What is <spam>?\nMore.")
SETS = Task("topics", ("late", "broken"), kind="multilabel", descriptions={"late": 'It came "late".'})
TASKS = (MAIL, SETS, STARS, PAIRS, MATCHES)

LOGIN = "any", "secret"
ASKED = RECORDINGS / "asked_of_the_backend.json"
TEXT = '{"id":"i","text":"<b>win</b> \u05e9\u05dc\u05d5\u05dd"}'.encode()


@pytest.fixture(scope="module", params=["fake", "recorded", pytest.param("real", marks=pytest.mark.slow)])
def studio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The three worlds, one after the other."""
    program = os.environ.get("LABELLOOP_TEST_LABEL_STUDIO")
    with token_put_back():
        if request.param == "fake":
            yield FakeWorld()
        elif request.param == "recorded":
            yield recorded_world()
        elif program:
            with real_world(program, tmp_path_factory.mktemp("studio")) as real:
                yield real
        else:
            pytest.skip("LABELLOOP_TEST_LABEL_STUDIO names no label-studio program (1.23.2) to test against")


@pytest.fixture
def world(studio: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """The world as this test finds it; what a real one said is played to it, or written down."""
    kind, *case = request.node.callspec.id.split("-")
    test = "-".join([request.node.originalname, *case])
    studio.titles = (f"p{zlib.crc32(test.encode()):x} {number}" for number in itertools.count())
    if kind == "recorded":
        listening: AbstractContextManager[None] = played(test)
    elif kind == "real" and RECORDING:
        listening = recorded(test)
    else:
        listening = nullcontext()
    with listening:
        yield studio


def queue_of(
    world: World, task: Task = MAIL, suggest: bool = False, title: str | None = None
) -> LabelStudioQueue:
    return LabelStudioQueue(world.client(), task, title or next(world.titles), suggest)


def lease(question: int, task: Task = MAIL, blind: bool = False, label: int | None = 1) -> Lease:
    return Lease(question, "i", "crowd", payload_for(task, TEXT), blind, 0, None if blind else label, 0.9)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_every_kind_of_task_is_shown_answered_and_read_back(world: World, task: Task) -> None:
    queue = queue_of(world, task)
    queue.offer([lease(7, task)])
    (shown,) = world.tasks(queue.project)
    label = 0b11 if task.space.sets else task.n_classes - 1
    who = world.annotate(shown["id"], result_of(task, label))
    look = queue.look()
    assert look.shown == {7}
    (vote,) = look.votes
    assert (vote.question, vote.annotator, vote.label, vote.seconds) == (7, who, label, 1.5)
    assert queue.look().votes == (vote,), "the same answer has the same key"


def test_an_empty_set_is_an_answer(world: World) -> None:
    queue = queue_of(world, SETS)
    queue.offer([lease(7, SETS)])
    world.annotate(world.tasks(queue.project)[0]["id"], [])
    assert [vote.label for vote in queue.look().votes] == [0]


def test_what_says_no_class_is_counted_and_no_answer(world: World) -> None:
    queue = queue_of(world)
    queue.offer([lease(7)])
    world.annotate(world.tasks(queue.project)[0]["id"], [])
    look = queue.look()
    assert (look.votes, look.unread) == ((), 1)


def test_a_skipped_task_stays_for_others(world: World) -> None:
    queue = queue_of(world)
    queue.offer([lease(7)])
    world.annotate(world.tasks(queue.project)[0]["id"], [], skip=True)
    look = queue.look()
    assert (look.shown, look.votes, look.unread) == ({7}, (), 0)


def test_suggestions_are_shown_where_wanted_and_never_of_blind_questions(world: World) -> None:
    queue = queue_of(world, suggest=True)
    queue.offer([lease(7), lease(8, blind=True)])
    by_question = {task["meta"]["labelloop"]: task for task in world.tasks(queue.project)}
    (prediction,) = by_question[7]["predictions"]
    assert label_of(MAIL, prediction["result"]) == 1
    assert prediction["score"] == 0.9
    assert by_question[8]["predictions"] == []
    plain = queue_of(world)
    plain.offer([lease(9)])
    assert world.tasks(plain.project)[0]["predictions"] == []


def test_what_is_withdrawn_is_gone_and_what_is_not_ours_stays(world: World) -> None:
    queue = queue_of(world)
    queue.offer([lease(number) for number in range(1, 131)])  # more than one page
    world.client().add(queue.project, [{"data": {"text": "theirs"}}])
    assert queue.look().shown == set(range(1, 131))
    queue.withdraw([*range(2, 131), 999])
    assert queue.look().shown == {1}
    assert sorted(bool(task["meta"]) for task in world.tasks(queue.project)) == [False, True]
    queue.withdraw(range(2, 131))


def test_a_project_is_found_again_and_follows_the_task(world: World) -> None:
    title = next(world.titles)
    first = queue_of(world, title=title)
    first.offer([lease(7)])
    changed = Task("mail", ("ham", "spam & more", "bulk"))
    again = queue_of(world, changed, title=title)
    assert (again.project, again.look().shown) == (first.project, {7})
    world.annotate(world.tasks(again.project)[0]["id"], result_of(changed, 2))
    assert [vote.label for vote in again.look().votes] == [2]


def test_a_real_one_shows_our_predictions_of_its_own_tasks(world: World) -> None:
    if not isinstance(world, RealWorld):
        pytest.skip("the one in memory calls no ML backend")
    queue = queue_of(world)
    queue.offer([lease(7)])
    world.client().add(queue.project, [{"data": {"text": "win a prize"}}, {"data": {"text": "hello"}}])
    app = backend()
    asked: list[dict[str, Any]] = []
    if RECORDING:
        note_what_is_asked(app, asked)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        world.predict(queue.project, f"http://127.0.0.1:{server.config.port}", LOGIN[1])
        by_text = {task["data"]["text"]: task["predictions"] for task in world.tasks(queue.project)}
    finally:
        server.should_exit = True
        thread.join()
    for text, label in (("win a prize", 1), ("hello", 0)):
        assert [label_of(MAIL, one["result"]) for one in by_text.pop(text)] == [label]
    (ours,) = by_text.values()
    assert all(one["result"] == [] for one in ours)
    if RECORDING and asked:
        ASKED.write_text(json.dumps(asked, indent=1) + "\n")


def test_what_a_real_one_asked_of_the_backend_is_answered() -> None:
    client = TestClient(backend())
    asked = json.loads(ASKED.read_text())
    assert {"/health", "/setup", "/predict"} <= {one["path"] for one in asked}
    for one in asked:
        reply = client.request(one["method"], one["path"], json=one["body"], auth=LOGIN)
        assert reply.status_code == 200, reply.text
        if one["path"] == "/predict":
            found = reply.json()["results"]
            texts = [task["data"]["text"] for task in one["body"]["tasks"]]
            assert [bool(each["result"]) for each in found] == ["<b>" not in text for text in texts]


def backend() -> FastAPI:
    """Ours, with a rule in place of a classifier."""
    return create_backend(
        MAIL.space, False, lambda texts: [(int("win" in text), 0.9) for text in texts], LOGIN[1]
    )


def note_what_is_asked(app: FastAPI, asked: list[dict[str, Any]]) -> None:
    """Write down each call of a Label Studio."""

    @app.middleware("http")
    async def note(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        body = json.loads(await request.body() or "null")
        if isinstance(body, dict):
            body |= dict.fromkeys(body.keys() & {"access_token", "hostname", "project"}, "")
        one = {"method": request.method, "path": request.url.path, "body": body}
        if one not in asked:
            asked.append(one)
        return await call_next(request)


def test_a_title_that_is_refused_is_said_plainly(world: World) -> None:
    with pytest.raises(SetupProblem, match="at least 3 characters"):
        queue_of(world, title="p").look()


def test_a_token_that_is_wrong_or_missing_is_said_plainly(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    monkeypatch.setattr(client, "_header", "Token wrong")
    monkeypatch.setattr(client, "_token", "wrong")
    with pytest.raises(SetupProblem, match="refuses the token"):
        client.names()
    monkeypatch.delenv("LABEL_STUDIO_TOKEN")
    with pytest.raises(SetupProblem, match="LABEL_STUDIO_TOKEN is not set"):
        LabelStudioClient(LabelStudioSettings("http://127.0.0.1:1"))


def test_one_that_does_not_answer_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "x")
    client = LabelStudioClient(LabelStudioSettings("http://127.0.0.1:1"))
    with pytest.raises(OutsideUnavailable):
        client.names()


def test_configs_are_xml_whatever_the_names(tmp_path: Path) -> None:
    told = config_of(Task("t", ('a"<&', "b"), guidelines='<View/> "&'))
    assert 'value="a&quot;&lt;&amp;"' in told
    assert "<View/>" not in told
