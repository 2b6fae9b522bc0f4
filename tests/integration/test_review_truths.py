"""Known labels over REST and on the lead's page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import barriers, opened
from fastapi.testclient import TestClient
from review_house import House, served

from labeling_functions.task import MULTILABEL, Task


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.ask(["win now"])
    yield made
    made.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.app(), base_url="http://localhost") as made:
        yield made


def test_a_label_is_vouched_for_and_forgotten(client: TestClient) -> None:
    assert client.post("/api/truths", json={"item": "item-00", "label": "spam"}).status_code == 200
    (known,) = client.get("/api/truths").json()["truths"]
    assert (known["item"], known["text"], known["label"]) == ("item-00", "win now", "spam")
    assert client.post("/api/truths/forget", json={"item": "item-00"}).status_code == 200
    gone = client.post("/api/truths/forget", json={"item": "item-00"})
    assert (gone.status_code, gone.json()["error"]) == (404, "nobody vouches for a label of 'item-00'")
    assert client.get("/api/truths").json() == {"truths": []}


def test_what_is_no_label_is_refused_with_the_classes(client: TestClient) -> None:
    for label in ("eggs", ["spam"]):
        refused = client.post("/api/truths", json={"item": "item-00", "label": label})
        assert refused.status_code == 422
        assert "ham, spam" in refused.json()["error"]
    assert client.post("/api/truths", json={"item": "", "label": "spam"}).status_code == 422


def test_a_set_is_vouched_for_as_a_list(tmp_path: Path) -> None:
    task = Task("topics", ("billing", "delivery"), MULTILABEL)
    house = House(tmp_path, task=task)
    with TestClient(house.app(), base_url="http://localhost") as client:
        client.post("/api/truths", json={"item": "a", "label": ["delivery"]})
        client.post("/api/truths", json={"item": "b", "label": []})
        known = {one["item"]: one["label"] for one in client.get("/api/truths").json()["truths"]}
    house.close()
    assert known == {"a": ["delivery"], "b": []}


@pytest.mark.browser
def test_a_lead_edits_known_labels_with_the_keyboard(house: House, browser: Any) -> None:
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/lead")
        page.wait_for_selector("#truths >> text=nobody vouches")
        page.focus("#truth-item")
        page.keyboard.type("item-00")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector("#truths tbody a:has-text('item-00')")
        (known,) = house.services.truths.known_labels(5)
        assert known.label == 1
        assert barriers(page) == []
        page.focus("#truths button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#truths >> text=nobody vouches")
    assert house.services.truths.known_labels(5) == []
