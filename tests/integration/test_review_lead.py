"""The lead's page: what the API says, and sliders that tell what other budgets would do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import opened
from clocks import at_noon
from fastapi.testclient import TestClient
from review_house import TIERS, House, served


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    tiers = {**TIERS, "expert": replace(TIERS["expert"], budget_per_day=None)}
    made = House(tmp_path, tiers=tiers)
    yield made
    made.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.app(), base_url="http://localhost") as made:
        yield made


def _answer(house: House, name: str, tier: str, label: int) -> None:
    person = house.questions.enroll(name, tier).id
    for lease in house.questions.lease(person, tier, 10, 60.0):
        house.questions.answer(lease.question, person, label, 4.0)


def test_queues_reviewers_and_disagreements_are_told(house: House, client: TestClient) -> None:
    at_noon(house.clock)
    ids = house.ask(["win now", "see you"], tier="crowd")
    _answer(house, "bob", "crowd", 0)
    house.ask_again(ids)
    _answer(house, "eve", "expert", 1)
    house.ask(["third", "fourth"], prefix="more")
    house.clock.advance(7_200)
    found = client.get("/api/lead").json()
    crowd, expert = found["queues"]
    assert (crowd["waiting"], crowd["empty_in_hours"]) == (0, 0)
    assert (expert["waiting"], expert["oldest_seconds"]) == (2, pytest.approx(7_200, abs=60))
    assert (expert["answered_per_hour"], expert["empty_in_hours"]) == (0, None)
    bob, eve = found["reviewers"]
    assert (bob["name"], bob["answers"], bob["checked"], bob["right"]) == ("bob", 2, 2, 0)
    assert (eve["earned"], eve["earned_today"], eve["right"], eve["state"]) == (1.0, 1.0, None, "active")
    newest = found["disagreements"][0]
    assert newest["item"] in ids
    assert [(one["name"], one["label"]) for one in newest["said"]] == [("bob", "ham"), ("eve", "spam")]
    assert [(one["tier"], one["per_day"]) for one in found["budgets"]] == [("crowd", None), ("expert", None)]


def test_confusions_are_those_of_the_models_that_decide_now(house: House, client: TestClient) -> None:
    assert client.get("/api/confusions").json() == {"people": []}
    bob = house.questions.enroll("bob", "crowd").id
    house.learn({"tier:crowd": np.eye(2), f"tier:crowd@{bob}": np.array([[6.0, 0.0], [2.0, 0.0]])})
    first, others = client.get("/api/confusions").json()["people"]
    assert (first["reviewer"], first["name"], first["tier"], first["options"]) == (
        bob,
        "bob",
        "crowd",
        ["ham", "spam"],
    )
    assert first["expected"] == [[6.0, 2.0], [0.0, 0.0]]
    assert (first["right"][0]["share"], first["right"][1]) == (0.75, None)
    assert (others["reviewer"], others["name"]) == (None, None)
    house.learn({f"tier:crowd@{bob}": np.eye(2)}, "two")
    (again,) = client.get("/api/confusions").json()["people"]
    assert again["expected"] == [[1.0, 0.0], [0.0, 1.0]]


def test_what_if_changes_nothing_and_refuses_tiers_that_there_are_not(client: TestClient) -> None:
    found = client.post("/api/what-if", json={"budgets": {"expert": 10}, "items_per_day": 500}).json()
    assert found["items_per_day"] == 500
    assert found["forecast"]["answers_per_day"] == {"crowd": 250, "expert": 5}
    refused = client.post("/api/what-if", json={"budgets": {"boss": 10}})
    assert (refused.status_code, refused.json()["help"]) == (422, "the tiers: crowd, expert")
    assert client.post("/api/what-if", json={"budgets": {"expert": -1}}).status_code == 422
    assert client.get("/api/lead").json()["budgets"][1]["per_day"] is None


@pytest.mark.browser
@pytest.mark.parametrize("key", ["Home", "ArrowLeft"])
def test_a_slider_moved_with_keys_tells_what_it_would_do(house: House, browser: Any, key: str) -> None:
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/lead")
        page.wait_for_selector("body[data-fresh]")
        assert page.get_attribute("#budget-expert", "aria-valuetext") == "no limit"
        row = "#what-if tbody tr >> nth=0"
        assert page.text_content(row) == "labels right99.0%99.0%"
        page.focus("#budget-expert")
        page.keyboard.press(key)
        page.wait_for_selector("#what-if td:has-text('90.0%')")
        assert page.text_content(row) == "labels right99.0%90.0%"
        assert "USD a day" in page.get_attribute("#budget-expert", "aria-valuetext")
        page.fill("#per-day", "2000")
        page.wait_for_selector("#pace:has-text('2,000 items a day')")


@pytest.mark.browser
def test_a_lead_pauses_somebody_and_lets_them_go_on_with_the_keyboard(house: House, browser: Any) -> None:
    house.ask(["one", "two"], tier="crowd")
    _answer(house, "bob", "crowd", 0)
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/lead")
        page.wait_for_selector("body[data-fresh]")
        page.focus("[data-reviewer]")
        page.keyboard.press("Enter")
        assert page.text_content("#state-title") == "Pause bob?"
        page.fill("#state-note", "please read the guidelines")
        page.keyboard.press("Enter")
        page.wait_for_selector("#lead-reviewers .chip:has-text('paused')")
        (paused,) = house.services.reviewers.reviewers()
        assert (paused.state, paused.note) == ("paused", "please read the guidelines")
        page.click("text=Let go on")
        page.keyboard.press("Escape")
        assert page.is_visible("#lead-reviewers .chip:has-text('paused')"), "Escape changes nothing"
        page.click("text=Let go on")
        page.click("#state-yes")
        page.wait_for_selector("#lead-reviewers >> text=at work")
    (again,) = house.services.reviewers.reviewers()
    assert again.state == "active"


def test_agreement_is_told_by_tier_class_and_person(house: House, client: TestClient) -> None:
    ids = house.ask(["win now", "see you", "hello"], tier="crowd")
    _answer(house, "bob", "crowd", 0)
    house.ask_again(ids, tier="crowd")
    _answer(house, "cy", "crowd", 1)
    found = client.get("/api/agreement").json()
    (crowd,) = found["tiers"]
    assert (found["answers"], crowd["tier"], crowd["all"]["items"], crowd["all"]["percent"]) == (
        6,
        "crowd",
        3,
        0,
    )
    assert list(crowd["by_class"]) == ["ham", "spam"]
    assert crowd["people"] == [{"name": name, "pairs": 3, "same": 0} for name in ("bob", "cy")]
    assert crowd["pairs"] == []


@pytest.mark.browser
def test_agreement_stands_on_the_page(house: House, browser: Any) -> None:
    ids = house.ask(["win now", "see you", "hello"], tier="crowd")
    _answer(house, "bob", "crowd", 0)
    house.ask_again(ids, tier="crowd")
    _answer(house, "cy", "crowd", 1)
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/lead")
        page.wait_for_selector("#lead-agreement th:has-text('crowd')")
        cells = [cell.inner_text() for cell in page.query_selector_all("#lead-agreement tbody td")]
        assert cells[:2] == ["3", "0.0%"]
        assert cells[4].startswith(("ham (alpha -", "spam (alpha -"))


@pytest.mark.browser
def test_whose_errors_are_shown_is_chosen_with_keys(house: House, browser: Any) -> None:
    ids = [house.questions.enroll(name, "crowd").id for name in ("bob", "eve")]
    tables = (np.array([[9.0, 1.0], [1.0, 9.0]]), np.array([[5.0, 5.0], [5.0, 5.0]]))
    house.learn({f"tier:crowd@{one}": table for one, table in zip(ids, tables, strict=True)})
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/lead")
        page.wait_for_selector("#erring td:has-text('90.0%')")
        page.focus("#erring-who")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("#erring td:has-text('50.0%')")
        assert page.input_value("#erring-who") == "crowd: eve"
