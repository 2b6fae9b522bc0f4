"""Any number of classes over REST: answers, labels and stories are lists of names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_house import House
from starlette.testclient import TestClient

from labeling_functions.task import MULTILABEL, Task

TOPICS = Task("topics", ("billing", "delivery", "praise"), MULTILABEL)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, task=TOPICS)
    made.ask(["first", "second"])
    yield made
    made.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.app(), base_url="http://127.0.0.1", follow_redirects=False) as made:
        yield made


def _leased(client: TestClient) -> dict[str, int]:
    """A body for POST /api/answers without an answer in it."""
    reviewer = client.post("/api/reviewers", json={"name": "ann", "tier": "expert"}).json()["id"]
    wish = {"reviewer": reviewer, "tier": "expert"}
    question = client.post("/api/leases", json=wish).json()["leases"][0]["question"]
    return {"question": question, "reviewer": reviewer}


@pytest.mark.parametrize(("sent", "kept"), [(["praise", "billing"], ["billing", "praise"]), ([], [])])
def test_an_answer_is_a_list_of_classes(
    house: House, client: TestClient, sent: list[str], kept: list[str]
) -> None:
    body = {**_leased(client), "labels": sent, "seconds": 2.0}
    recorded = client.post("/api/answers", json=body)
    assert recorded.status_code == 200
    assert client.post("/api/answers", json=body).json() == recorded.json(), "repeating it changes nothing"
    assert house.standing_answers() == {"item-00": kept}
    assert client.post("/api/undo", json={"reviewer": body["reviewer"]}).json()["lease"]["item"] == "item-00"
    assert house.standing_answers() == {}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"label": "praise"}, "labels: a list of the classes that apply is wanted, and no label"),
        ({"label": "praise", "labels": ["praise"]}, "labels: a list of the classes that apply is wanted"),
        ({}, "labels: a list of the classes that apply is wanted"),
        ({"labels": ["praise", "eggs"]}, "labels: 'eggs' is not a class of this task"),
        ({"labels": "praise"}, "labels: Input should be a valid list"),
    ],
)
def test_what_is_no_list_of_classes_is_refused(
    house: House, client: TestClient, said: dict[str, object], error: str
) -> None:
    refused = client.post("/api/answers", json={**_leased(client), **said})
    assert refused.status_code == 422
    assert error in refused.json()["error"]
    assert "classes" in refused.json()["help"] or "/api/docs" in refused.json()["help"]
    assert house.standing_answers() == {}


def test_labels_and_stories_are_told_as_lists(house: House, client: TestClient) -> None:
    house.register_functions("hints", "short")
    client.post("/api/answers", json={**_leased(client), "labels": []})
    (label, _) = client.get("/api/labels").json()["labels"]
    assert (label["label"], label["probability"]) == (["delivery"], pytest.approx(0.875**3))
    item = client.get("/api/items/item-00").json()
    assert item["label"] == item["revisions"][0]["label"] == ["delivery"]
    assert item["posterior"] == {"billing": 0.125, "delivery": 0.875, "praise": 0.125}
    assert item["votes"] == [
        {"function": "hints", "version": "1", "label": ["delivery"], "not": []},
        {"function": "short", "version": "1", "label": [], "not": []},
    ]
    page = client.get("/items/item-00").text
    assert '<span class="chip named">delivery</span>' in page
    assert "says nothing" in page
    assert [one["label"] for one in item["answers"]] == [[]]
    assert client.get("/api/overview").json()["classes"] == {
        "billing": 0,
        "delivery": 2,
        "praise": 0,
        "none": 0,
    }


def test_the_api_says_what_sets_take(client: TestClient) -> None:
    page = client.get("/api/docs").text
    assert "names of all classes that apply; [] where none does" in page
    assert client.get("/api/task").json()["kind"] == "multilabel"
