"""What a Label Studio does while we look: people delete tasks, users leave, tokens run out."""

import httpx
import pytest

from daemon.adapters.outside.label_studio.client import PAGE, LabelStudioClient
from daemon.adapters.outside.label_studio.fake import FakeLabelStudio
from daemon.adapters.outside.label_studio.labeling import result_of
from daemon.adapters.outside.label_studio.queue import LabelStudioQueue
from daemon.adapters.outside.label_studio.settings import LabelStudioSettings
from daemon.core.errors import SetupProblem
from daemon.core.rows import Lease
from labeling_functions.task import Task

SETTINGS = LabelStudioSettings("http://studio")
MAIL = Task("mail", ("ham", "spam"))


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> FakeLabelStudio:
    made = FakeLabelStudio()
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", made.token)
    return made


def queue_on(studio: FakeLabelStudio) -> LabelStudioQueue:
    return LabelStudioQueue(LabelStudioClient(SETTINGS, studio.transport), MAIL, "mail", False)


def lease(question: int) -> Lease:
    return Lease(question, "i", "crowd", b'{"id": "i", "text": "hello"}', True, 0, None, 0.9)


def test_tasks_that_are_deleted_while_they_are_read_end_the_list(studio: FakeLabelStudio) -> None:
    """A page that is gone is no fault of the configuration, which would end the process for good."""
    queue = queue_on(studio)
    queue.offer([lease(question) for question in range(PAGE + 1)])
    tasks = LabelStudioClient(SETTINGS, studio.transport).tasks(queue.project)
    first = next(tasks)
    for number in [*studio.tasks][PAGE - 10 :]:
        del studio.tasks[number]
    assert len([first, *tasks]) == PAGE


def test_a_project_that_is_not_there_is_a_fault(studio: FakeLabelStudio) -> None:
    gone = httpx.MockTransport(lambda _: httpx.Response(404, json={"detail": "Not found."}))
    with pytest.raises(SetupProblem, match="HTTP 404"):
        list(LabelStudioClient(SETTINGS, gone).tasks(7))


def test_the_answer_of_a_deleted_user_is_an_answer(studio: FakeLabelStudio) -> None:
    queue = queue_on(studio)
    queue.offer([lease(7)])
    (task,) = studio.tasks.values()
    studio.annotate(task["id"], result_of(MAIL, 1), "ann@example.com")
    task["annotations"][0]["completed_by"] = None
    (vote,) = queue.look().votes
    assert (vote.annotator, vote.label) == ("label-studio-deleted", 1)


def test_a_token_that_has_run_out_is_not_shown_to_get_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "a.personal.token")
    given: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        shown = request.headers.get("Authorization", "")
        if request.url.path == "/api/token/refresh/":
            assert not shown
            given.append(f"good {len(given)}")
            return httpx.Response(200, json={"access": given[-1]})
        if shown != f"Bearer {given[-1]}":
            return httpx.Response(401, json={"detail": "Token is expired"})
        return httpx.Response(200, json=[{"id": 1, "email": "ann@example.com"}])

    client = LabelStudioClient(SETTINGS, httpx.MockTransport(answer))
    assert client.names() == {1: "ann@example.com"}
    given.append("of another process")
    assert client.names() == {1: "ann@example.com"}
    assert len(given) == 3
