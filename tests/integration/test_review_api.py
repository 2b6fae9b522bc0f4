"""The REST API over a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_house import House
from starlette.testclient import TestClient

from daemon.core.states import Purpose
from daemon.review.guard import MAX_BODY_BYTES

HERE = "http://127.0.0.1"
HINTS = ("suggestion", "marks", "earlier")


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.app(), base_url=HERE, follow_redirects=False) as made:
        yield made


def _enroll(client: TestClient, name: str = "ann", tier: str = "expert") -> int:
    response = client.post("/api/reviewers", json={"name": name, "tier": tier})
    assert response.status_code == 200
    return int(response.json()["id"])


def _lease(
    client: TestClient, reviewer: int, count: int = 1, tier: str = "expert"
) -> list[dict[str, object]]:
    response = client.post("/api/leases", json={"reviewer": reviewer, "tier": tier, "count": count})
    assert response.status_code == 200
    return list(response.json()["leases"])


def test_task_is_told(client: TestClient) -> None:
    task = client.get("/api/task").json()
    assert task["classes"] == ["ham", "spam"]
    assert task["tiers"] == ["crowd", "expert"]
    assert task["descriptions"] == {"spam": "wants your money"}


def test_lease_answer_and_undo(house: House, client: TestClient) -> None:
    house.ask(["first", "second"])
    ann = _enroll(client)
    assert _enroll(client) == ann
    first, second = _lease(client, ann, 2)
    assert (first["item"], first["fields"]) == ("item-00", [{"name": "text", "text": "first"}])
    answer = {"question": first["question"], "reviewer": ann, "label": "spam", "seconds": 2.5}
    recorded = client.post("/api/answers", json=answer)
    assert recorded.json() == client.post("/api/answers", json=answer).json()
    assert house.standing_answers() == {"item-00": "spam"}
    undone = client.post("/api/undo", json={"reviewer": ann}).json()["lease"]
    assert undone["question"] == first["question"]
    assert house.standing_answers() == {}
    assert client.post("/api/undo", json={"reviewer": ann}).json() == {"lease": None}
    skipped = client.post("/api/skips", json={"question": second["question"], "reviewer": ann})
    assert skipped.json() == {"ok": True}
    assert [lease["item"] for lease in _lease(client, ann, 5)] == ["item-00"]


def test_what_the_budget_does_not_reach_is_told_and_comes_when_it_does(tmp_path: Path) -> None:
    house = House(tmp_path, expert_budget=0.5)
    try:
        with TestClient(house.app(), base_url=HERE) as client:
            house.ask(["first", "second", "third"])
            ann = _enroll(client)
            wish = {"reviewer": ann, "tier": "expert", "count": 3}
            (held,) = client.post("/api/leases", json=wish).json()["leases"]
            answer = {"question": held["question"], "reviewer": ann, "label": "spam"}
            client.post("/api/answers", json=answer)
            assert client.post("/api/leases", json=wish).json() == {"leases": [], "unpaid": 2}
            house.clock.advance(86_400)
            assert len(client.post("/api/leases", json=wish).json()["leases"]) == 1
    finally:
        house.close()


def test_leases_tell_nothing_but_the_item(house: House, client: TestClient) -> None:
    house.ask(["look at me"], purpose=Purpose.AUDIT)
    (lease,) = _lease(client, _enroll(client))
    assert set(lease) == {"question", "item", "fields", "images", "until", "turned", *HINTS}
    assert (lease["images"], lease["suggestion"], lease["marks"]) == ([], None, [])
    assert "secret-metadata" not in str(lease)


def test_errors_help(house: House, client: TestClient) -> None:
    house.ask(["one"])
    ann, bob = _enroll(client, "ann"), _enroll(client, "bob")
    question = _lease(client, ann)[0]["question"]
    wrong = client.post("/api/answers", json={"question": question, "reviewer": ann, "label": "eggs"})
    assert wrong.status_code == 422
    assert wrong.json() == {
        "error": "label: 'eggs' is not a class of this task",
        "help": "the classes: ham, spam",
    }
    for said in ({"labels": ["ham"]}, {}, {"label": "ham", "labels": ["ham"]}):
        listed = client.post("/api/answers", json={"question": question, "reviewer": ann, **said})
        assert listed.status_code == 422
        assert listed.json()["error"] == "label: the name of one class is wanted, and no labels"
    lost = client.post("/api/answers", json={"question": question, "reviewer": bob, "label": "ham"})
    assert (lost.status_code, set(lost.json())) == (409, {"error", "help"})
    nobody = client.post("/api/leases", json={"reviewer": 999, "tier": "expert"})
    assert nobody.status_code == 404
    assert "/api/reviewers" in nobody.json()["help"]
    assert client.post("/api/reviewers", json={"name": "x", "tier": "boss"}).json()["help"] == (
        "the tiers: crowd, expert"
    )
    assert client.get("/api/items/none").status_code == 404
    assert client.get("/api/nothing").json()["help"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": " ", "tier": "expert"}, "name"),
        ({"name": "x" * 81, "tier": "expert"}, "name"),
        ({"name": "ann"}, "tier"),
        ({"name": "ann", "tier": "expert", "role": "admin"}, "role"),
        ([], "body"),
    ],
)
def test_wrong_bodies_are_named(client: TestClient, body: object, named: str) -> None:
    response = client.post("/api/reviewers", json=body)
    assert response.status_code == 422
    assert named in response.json()["error"]


@pytest.mark.parametrize("seconds", [-1, 1e9, "NaN"])
def test_times_that_cannot_be_are_refused(house: House, client: TestClient, seconds: object) -> None:
    house.ask(["one"])
    ann = _enroll(client)
    question = _lease(client, ann)[0]["question"]
    answer = {"question": question, "reviewer": ann, "label": "ham", "seconds": seconds}
    assert client.post("/api/answers", json=answer).status_code == 422
    assert house.standing_answers() == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": HERE, "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_sites_change_nothing(client: TestClient, headers: dict[str, str], status: int) -> None:
    body = '{"name": "ann", "tier": "expert"}'
    sent = {"Content-Type": "application/json", **headers}
    assert client.post("/api/reviewers", content=body, headers=sent).status_code == status


def test_a_foreign_name_for_this_machine_is_refused(client: TestClient) -> None:
    assert client.get("/api/task", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/api/task", headers={"Host": "localhost:8400"}).status_code == 200


def test_huge_bodies_are_refused(client: TestClient) -> None:
    assert client.post("/api/reviewers", json={"name": "x" * MAX_BODY_BYTES, "tier": "t"}).status_code == 413


def test_queues_overview_and_labels(house: House, client: TestClient) -> None:
    house.ask(["a", "b"], purpose=Purpose.AUDIT)
    ann = _enroll(client)
    question = _lease(client, ann)[0]["question"]
    client.post("/api/answers", json={"question": question, "reviewer": ann, "label": "ham", "seconds": 36})
    (queue,) = client.get("/api/queues").json()["queues"]
    assert (queue["tier"], queue["purpose"], queue["open"], queue["answered"]) == ("expert", "audit", 1, 1)
    overview = client.get("/api/overview").json()
    assert (overview["items"], overview["states"]["asking"]) == (2, 2)
    assert overview["classes"] == {"ham": 0, "spam": 2}
    cost = overview["cost"]
    assert (cost["spent"], cost["hours"], cost["everything"]) == (0.5, pytest.approx(0.01), 1.0)
    assert cost["everything_hours"] == pytest.approx(60 / 3_600)
    assert "5.0%" in overview["promise"]["sentence"]
    assert "1 of the first 60" in overview["promise"]["standing"]
    labels = client.get("/api/labels", params={"limit": 1}).json()["labels"]
    assert [(one["text"], one["label"], one["status"]) for one in labels] == [("a", "spam", "provisional")]
    assert client.get("/api/labels", params={"limit": 0}).status_code == 422


def test_an_item_tells_its_story(house: House, client: TestClient) -> None:
    house.ask(["what is it"])
    house.register_functions("links", "short")
    ann = _enroll(client)
    question = _lease(client, ann)[0]["question"]
    client.post("/api/answers", json={"question": question, "reviewer": ann, "label": "ham", "seconds": 3})
    item = client.get("/api/items/item-00").json()
    assert item["posterior"] == {"ham": 0.125, "spam": 0.875}
    assert item["votes"] == [
        {"function": "links", "version": "1", "label": "spam"},
        {"function": "short", "version": "1", "label": None},
    ]
    assert [(one["annotator"], one["label"], one["cost"]) for one in item["answers"]] == [("ann", "ham", 0.5)]
    assert [one["status"] for one in item["revisions"]] == ["provisional"]
    assert [one["state"] for one in item["questions"]] == ["answered"]


def test_the_api_describes_itself_without_the_outside(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    posts = [
        path
        for path, calls in spec["paths"].items()
        if "post" in calls and "reviewing" in calls["post"]["tags"]
    ]
    assert sorted(posts) == [
        f"/api/{call}" for call in ("answers", "flags", "leases", "reviewers", "skips", "undo")
    ]
    page = client.get("/api/docs").text
    assert "/api/answers" in page
    assert "Name of a class." in page
    assert client.get("/healthz").json() == {"ok": True}


@pytest.mark.parametrize("path", ["/", "/dashboard", "/items/item-00", "/items/none", "/api/docs"])
def test_pages_load_nothing_from_elsewhere(house: House, client: TestClient, path: str) -> None:
    house.ask(["<img src=x onerror=alert(1)>"])
    response = client.get(path)
    assert "http://" not in response.text and "https://" not in response.text
    assert "<img src=x" not in response.text
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert " style=" not in response.text and "<style" not in response.text


def test_a_browser_that_gets_lost_sees_a_page_and_a_program_json(client: TestClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    lost = client.get("/nowhere/<b>", headers=browser)
    assert lost.status_code == 404
    assert "<h1>Not found</h1>" in lost.text and "<b>" not in lost.text
    assert set(client.get("/nowhere").json()) == {"error", "help"}
    assert set(client.get("/api/nowhere", headers=browser).json()) == {"error", "help"}


def test_review_wants_a_name_first(house: House, client: TestClient) -> None:
    assert client.get("/review").headers["location"] == "/"
    assert client.post("/enter", json={"name": "ann", "tier": "boss"}).status_code == 422
    assert client.post("/enter", json={"name": "Zoë <b>", "tier": "expert"}).status_code == 200
    page = client.get("/review").text
    assert "Zoë &lt;b&gt;" in page
    assert "Is it <strong>spam</strong>?" in page
    assert "<script>alert" not in page and 'href="javascript' not in page
    client.cookies.clear()
    client.cookies.set("labelloop_reviewer", "rubbish")
    assert client.get("/review").status_code == 303


def test_static_files_are_served_with_their_types(client: TestClient) -> None:
    script = client.get("/static/review.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["x-content-type-options"] == "nosniff"


def test_insights_tell_of_functions_and_costs(house: House, client: TestClient) -> None:
    house.register_functions("prize_words", "greeting")
    house.ask(["win a prize", "see you"])
    found = client.get("/api/insights").json()
    assert (found["items"], found["checked"], found["windows"]) == (2, 0, 0)
    assert [(one["name"], one["coverage"], one["right"]) for one in found["functions"]] == [
        ("prize_words", 1.0, None),
        ("greeting", 0.0, None),
    ]
    assert found["functions"][0]["votes"] == {"ham": 0, "spam": 2}
    assert [(one["items"], one["per_label"]) for one in found["costs"]] == [(2, 0.0)]
    assert found["confusions"][0]["options"] == ["ham", "spam"]


@pytest.mark.parametrize("path", ["/api/items/a%00b", "/items/%00", "/api/labels?limit=%00"])
def test_addresses_that_no_database_takes_are_refused(client: TestClient, path: str) -> None:
    refused = client.get(path)
    assert (refused.status_code, set(refused.json())) == (400, {"error", "help"})


def test_a_paused_reviewer_is_told_why_until_a_lead_lets_them_go_on(house: House, client: TestClient) -> None:
    house.ask(["first", "second"])
    ann = _enroll(client)
    held = _lease(client, ann)[0]
    paused = {"reviewer": ann, "state": "paused", "note": "read the guidelines first"}
    assert client.post("/api/reviewers/state", json=paused).status_code == 200
    wish = {"reviewer": ann, "tier": "expert", "count": 1}
    answer = {"question": held["question"], "reviewer": ann, "label": "ham"}
    for path, body in (("/api/leases", wish), ("/api/answers", answer)):
        refused = client.post(path, json=body)
        assert refused.status_code == 403
        assert refused.json()["error"] == "you are paused: read the guidelines first"
    (told,) = client.get("/api/reviewers").json()["reviewers"]
    assert (told["name"], told["state"], told["answers"], told["interval"]) == ("ann", "paused", 0, None)
    client.post("/api/reviewers/state", json={"reviewer": ann, "state": "active"})
    assert len(_lease(client, ann)) == 1


def test_a_flag_passes_the_item_on(house: House, client: TestClient) -> None:
    house.ask(["first", "second"])
    ann, bob = _enroll(client), _enroll(client, "bob")
    held = _lease(client, ann)[0]
    flag = {"question": held["question"], "reviewer": ann, "note": "cut off"}
    assert client.post("/api/flags", json=flag).json() == {"ok": True}
    assert [one["item"] for one in _lease(client, ann, 5)] == ["item-01"]
    refused = client.post("/api/flags", json={**flag, "question": 999, "reviewer": bob})
    assert refused.status_code == 409
