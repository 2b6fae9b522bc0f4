"""Pairs on the review pages and over REST: the order on the screen is drawn, answers are of A and B."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browsing import enter, eventually, opened
from fastapi.testclient import TestClient
from review_house import House, served
from rows_for_tests import all_rows

from daemon.adapters.store.schema import answers
from daemon.core.pair_order import is_turned
from labeling_functions.task import PREFERENCE, PREFERENCE_CLASSES, Task

CHOICE = Task("answers", PREFERENCE_CLASSES, PREFERENCE, guidelines="Which helps more?")
SCALE = Task("answers", PREFERENCE_CLASSES, PREFERENCE, scale=True)
PAIRS = [
    {"prompt": f"prompt {n}", "response_a": f"good {n}", "response_b": f"bad {n}", "model_a": "secret"}
    for n in range(12)
]


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house of pairs; of a scale where the test asks for it."""
    made = House(tmp_path, task=getattr(request, "param", CHOICE))
    made.ask(PAIRS)
    yield made
    made.close()


def leased(client: TestClient, count: int = 20) -> tuple[int, list[dict[str, object]]]:
    reviewer = client.post("/api/reviewers", json={"name": "Ann", "tier": "expert"}).json()["id"]
    wish = {"reviewer": reviewer, "tier": "expert", "count": count}
    return reviewer, client.post("/api/leases", json=wish).json()["leases"]


def test_reviewers_see_the_pair_and_nothing_else_of_it(house: House) -> None:
    _, leases = leased(TestClient(house.app(), base_url="http://127.0.0.1"))
    names = {tuple(field["name"] for field in lease["fields"]) for lease in leases}
    assert names == {("prompt", "response_a", "response_b")}
    assert [lease["turned"] for lease in leases] == [is_turned(int(lease["question"])) for lease in leases]


def test_both_orders_are_drawn_about_as_often() -> None:
    turned = sum(map(is_turned, range(1, 2_001)))
    assert 850 < turned < 1_150


@pytest.mark.parametrize("house", [SCALE], indirect=True)
@pytest.mark.parametrize(
    ("said", "label", "probabilities"),
    [
        ("1", "A", [1, 0, 0]),
        ("2", "A", [0.6, 0.1, 0.3]),
        ("3", "tie", [0, 0, 1]),
        ("4", "B", [0.1, 0.6, 0.3]),
        ("5", "B", [0, 1, 0]),
    ],
)
def test_a_point_of_the_scale_is_a_label_and_how_sure(
    house: House, said: str, label: str, probabilities: list[float]
) -> None:
    client = TestClient(house.app(), base_url="http://127.0.0.1")
    reviewer, (lease, *_) = leased(client)
    body = {"question": lease["question"], "reviewer": reviewer, "label": said, "seconds": 1.0}
    first = client.post("/api/answers", json=body).json()
    assert client.post("/api/answers", json=body).json() == first
    assert house.standing_answers() == {"item-00": label}
    (row,) = all_rows(house.database, answers)
    assert np.frombuffer(row.probabilities, "<f4").tolist() == pytest.approx(probabilities)


def test_without_a_scale_its_points_are_refused(house: House) -> None:
    client = TestClient(house.app(), base_url="http://127.0.0.1")
    reviewer, (lease, *_) = leased(client)
    refused = client.post(
        "/api/answers", json={"question": lease["question"], "reviewer": reviewer, "label": "1"}
    )
    assert refused.status_code == 422 and "A, B, tie" in refused.json()["help"]


@pytest.fixture
def page(browser: object, house: House) -> Iterator[object]:
    """A reviewer's page with the first item."""
    with served(house.app()) as address, opened(browser, address) as page:
        enter(page)
        yield page


def shown(page) -> tuple[int, list[str]]:
    question = int(page.get_attribute("#item", "data-question"))
    return question, page.locator(".response .text").all_text_contents()


def choose_good(page, good: str, bad: str) -> list[bool]:
    """Press the key of the better response for every pair; for each whether it stood second."""
    order = []
    for number in range(len(PAIRS)):
        page.wait_for_function("wanted => item.textContent.includes(wanted)", arg=f"prompt {number}R")
        question, responses = shown(page)
        assert sorted(responses) == [f"bad {number}", f"good {number}"]
        order.append(responses[1].startswith("good"))
        assert order[-1] == is_turned(question)
        page.keyboard.press(bad if order[-1] else good)
    page.wait_for_selector("text=Nothing waits for you right now.")
    return order


@pytest.mark.browser
def test_answers_by_place_are_kept_in_terms_of_a_and_b(house: House, page) -> None:
    assert page.locator(".answer-name").all_text_contents() == [
        "Response 1 is better",
        "Response 2 is better",
        "Neither is better",
    ]
    order = choose_good(page, "1", "2")
    assert True in order and False in order, "both orders are shown"
    eventually(lambda: len(house.standing_answers()) == len(PAIRS))
    assert set(house.standing_answers().values()) == {"A"}
    assert "secret" not in page.content()


@pytest.mark.browser
@pytest.mark.parametrize("house", [SCALE], indirect=True)
def test_five_points_by_place_are_kept_in_terms_of_a_and_b(house: House, page) -> None:
    assert page.locator(".answer").count() == 5
    choose_good(page, "2", "4")
    eventually(lambda: len(house.standing_answers()) == len(PAIRS))
    kept = [np.frombuffer(row.probabilities, "<f4").tolist() for row in all_rows(house.database, answers)]
    assert all(one == pytest.approx([0.6, 0.1, 0.3]) for one in kept)


@pytest.mark.browser
def test_responses_stand_beside_each_other_and_below_on_phones(house: House, page) -> None:
    boxes = "[...document.querySelectorAll('.response')].map(one => one.getBoundingClientRect().left)"
    left, right = page.evaluate(boxes)
    assert right > left
    page.set_viewport_size({"width": 390, "height": 800})
    left, right = page.evaluate(boxes)
    assert right == left
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/items/item-00")
    assert page.locator(".response h2").all_text_contents() == ["Response A", "Response B"]
    assert page.locator(".response .text").all_text_contents() == ["good 0", "bad 0"]
    assert "secret" in page.content(), "the item's page tells all"
