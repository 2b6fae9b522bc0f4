"""From a language model's answer on the pages to the prompt that it was given."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from review_house import House
from rows_for_tests import add_question
from starlette.testclient import TestClient
from traces_for_tests import example_trace

from daemon.adapters.fake_traces import FakeTraces
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.core.call_rows import ModelVote
from daemon.review.app import create_app

HERE = "http://127.0.0.1"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def client_of(house: House, traces: FakeTraces | None) -> TestClient:
    app = create_app(replace(house.services, traces=traces))
    return TestClient(app, base_url=HERE, follow_redirects=False)


def answer_by_model(house: House, trace: str | None) -> str:
    """Path of an item that a model answered."""
    (item,) = house.ask(["win now"], tier="crowd")
    queue = ModelQueueRoom(house.database)
    model = queue.enroll("llm/short", "0f0f", "llm").id
    queue.answer(add_question(house.database, item, "llm"), model, ModelVote(1, trace=trace))
    return f"/items/{item}"


def test_the_item_page_leads_to_the_trace(house: House) -> None:
    traces = FakeTraces()
    trace = traces.begin()
    assert trace is not None
    traces.keep(example_trace(trace))
    path = answer_by_model(house, trace)
    client = client_of(house, traces)
    (answer,) = client.get(f"/api{path}").json()["answers"]
    assert answer["trace"] == trace
    assert f'href="/traces/{trace}"' in client.get(path).text
    led = client.get(f"/traces/{trace}")
    assert (led.status_code, led.headers["location"]) == (303, traces.address(trace))


@pytest.mark.parametrize(("traced", "has_pages"), [(None, True), ("tr-" + "0a" * 16, False)])
def test_without_a_trace_or_a_place_for_it_no_link_is_shown(
    house: House, traced: str | None, has_pages: bool
) -> None:
    path = answer_by_model(house, traced)
    page = client_of(house, FakeTraces() if has_pages else None).get(path).text
    assert "llm/short" in page and "/traces/" not in page


def test_what_is_not_there_and_what_cannot_be_looked_at_is_told(house: House) -> None:
    traces = FakeTraces()
    client = client_of(house, traces)
    missing = client.get("/traces/tr-<b>")
    assert missing.status_code == 404 and "<b>" not in missing.text
    traces.down = True
    away = client.get("/traces/tr-1")
    assert away.status_code == 503 and "down" in away.text
    assert client_of(house, None).get("/traces/tr-1").status_code == 404
