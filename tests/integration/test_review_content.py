"""What an item shows: writing of every direction, pictures, and hints where a tier wants them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import NEEDED, barriers, enter, keep, opened, sticks_out
from fastapi.testclient import TestClient
from review_house import CLASSES, SETTINGS, TIERS, House, served

from daemon.core.states import BLIND_PURPOSES, Purpose
from labeling_functions.heuristics import keywords
from labeling_functions.task import MULTILABEL, PREFERENCE, PREFERENCE_CLASSES, Task

pytestmark = NEEDED

HINTS = {name: replace(tier, suggest=True, highlight=True) for name, tier in TIERS.items()}
FUNCTIONS = [keywords("prize_words", ["win", "🎉 prize"], "spam")]
ARABIC = "مبروك! لقد ربحت جائزة قدرها 100 USD. اتصل الآن."
HEBREW = "מזל טוב, זכית בפרס"
CHINESE = "恭喜您获得一百万元大奖，请立即点击链接领取奖品，逾期作废。" * 12
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJA"
    "DveWkH6oAAAAAElFTkSuQmCC"
)
PAIR = {"prompt": "which?", "response_a": "good", "response_b": "bad"}

Make = Callable[..., House]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[House] = []

    def one(**changes: object) -> House:
        made.append(House(tmp_path, **changes))
        return made[-1]

    yield one
    for house in made:
        house.close()


def _leases(house: House, count: int = 10, tier: str = "expert") -> list[dict]:
    with TestClient(house.app(), base_url="http://localhost") as client:
        ann = client.post("/api/reviewers", json={"name": "ann", "tier": tier}).json()["id"]
        wish = {"reviewer": ann, "tier": tier, "count": count}
        return client.post("/api/leases", json=wish).json()["leases"]


@pytest.mark.parametrize("width", [1280, 390])
def test_writing_runs_as_its_script_does(make: Make, browser, width: int) -> None:
    house = make()
    house.ask([f"{ARABIC}\nThen English.", HEBREW, CHINESE])
    with (
        served(house.app()) as address,
        opened(browser, address, viewport={"width": width, "height": 800}) as page,
    ):
        enter(page)
        for name in ("arabic", "hebrew", "chinese"):
            direction = page.evaluate("getComputedStyle(document.querySelector('#item .text')).direction")
            assert direction == ("ltr" if name == "chinese" else "rtl")
            assert page.evaluate("item.scrollWidth <= item.clientWidth"), f"{name} is cut"
            assert [*barriers(page), *sticks_out(page)] == []
            keep(page, f"review-{name}-{width}")
            page.keyboard.press("1")
        page.wait_for_selector("text=Nothing waits for you right now.")


def test_a_line_of_another_script_runs_its_own_way(make: Make, browser) -> None:
    house = make()
    house.ask([f"English first.\n{ARABIC}"])
    with served(house.app()) as address, opened(browser, address) as page:
        enter(page)
        left = page.evaluate(
            """() => {
              const text = document.querySelector("#item .text").firstChild;
              const start = (from, to) => {
                const range = document.createRange();
                range.setStart(text, from);
                range.setEnd(text, to);
                return range.getBoundingClientRect();
              };
              const box = document.querySelector("#item .text").getBoundingClientRect();
              const line = text.data.indexOf("\\n");
              return [start(0, 1).left - box.left, box.right - start(line + 1, line + 2).right];
            }"""
        )
    assert left == pytest.approx([0, 0], abs=3), "each line begins at its own side"


def test_pictures_inside_of_messages_are_shown_and_foreign_ones_not_asked_for(make: Make, browser) -> None:
    house = make()
    house.ask(["look"], images=[DOT, "http://127.0.0.1:9/secret.png", "s3://bucket/x.png"])
    asked: list[str] = []
    with served(house.app()) as address, opened(browser, address) as page:
        page.on("request", lambda request: asked.append(request.url))
        enter(page)
        page.wait_for_function("document.querySelector('.picture').naturalWidth > 0")
        assert page.get_attribute(".picture", "alt") == "Picture 1 of 3"
        told = page.text_content(".pictures")
        assert "Picture 2 of 3: http://127.0.0.1:9/secret.png" in told
        assert "Picture 3 of 3: s3://bucket/x.png" in told
        assert barriers(page) == []
        keep(page, "review-pictures")
        page.goto("/items/item-00")
        page.wait_for_function("document.querySelector('.picture').naturalWidth > 0")
        assert barriers(page) == []
    assert not [url for url in asked if ":9/" in url]


def test_a_picture_of_an_allowed_server_that_is_not_there_says_so(make: Make, browser) -> None:
    house = make(settings=replace(SETTINGS, image_origins=("http://127.0.0.1:9",)))
    house.ask(["look"], images=["http://127.0.0.1:9/gone.png"])
    with served(house.app()) as address, opened(browser, address) as page:
        enter(page)
        page.wait_for_selector("text=Picture cannot be shown.")


@pytest.mark.parametrize("purpose", BLIND_PURPOSES)
def test_a_blind_question_never_shows_a_hint(make: Make, purpose: Purpose) -> None:
    house = make(tiers=HINTS, functions=FUNCTIONS)
    house.ask(["win now"], purpose=purpose)
    (lease,) = _leases(house)
    assert (lease["suggestion"], lease["marks"]) == (None, [])


def test_hints_are_off_unless_a_tier_wants_them(make: Make) -> None:
    house = make(functions=FUNCTIONS, tiers={**TIERS, "crowd": replace(TIERS["crowd"], suggest=True)})
    house.ask(["win now"])
    house.ask(["win now"], tier="crowd", prefix="other")
    (expert,), (crowd,) = _leases(house), _leases(house, tier="crowd")
    assert (expert["suggestion"], expert["marks"]) == (None, [])
    assert crowd["suggestion"] == {"label": CLASSES[1], "sure": 0.875}
    assert crowd["marks"] == []


def test_hints_are_shown_beside_the_item(make: Make, browser) -> None:
    house = make(tiers=HINTS, functions=FUNCTIONS)
    house.ask(["🎉🎉 you WIN a 🎉 prize <b>now</b>"])
    with served(house.app()) as address, opened(browser, address) as page:
        enter(page)
        assert page.eval_on_selector_all("mark", "all => all.map(one => one.textContent)") == [
            "WIN",
            "🎉 prize",
        ]
        assert page.text_content("#item .text") == "🎉🎉 you WIN a 🎉 prize <b>now</b>"
        assert page.text_content(".suggestion") == "Suggested: spam, sure to 88%"
        assert barriers(page) == []
        keep(page, "review-hints")


def test_a_suggestion_on_a_pair_speaks_of_the_order_on_the_screen(make: Make, browser) -> None:
    house = make(tiers=HINTS, task=Task("answers", PREFERENCE_CLASSES, PREFERENCE))
    house.ask([PAIR] * 8)
    with served(house.app()) as address, opened(browser, address) as page:
        enter(page)
        for _ in range(8):
            second = page.text_content(".response >> nth=1 >> p")
            wanted = "Response 2 is better" if second == "bad" else "Response 1 is better"
            assert wanted in page.text_content(".suggestion"), "B, the bad one, is what the votes say"
            before = page.get_attribute("#item", "data-question")
            page.keyboard.press("1")
            page.wait_for_function("before => before !== item.dataset.question", arg=before)


def test_a_suggested_set_names_its_classes(make: Make) -> None:
    house = make(tiers=HINTS, task=Task("topics", ("billing", "delivery"), MULTILABEL))
    house.ask(["where is my parcel"])
    (lease,) = _leases(house)
    assert lease["suggestion"]["label"] == ["delivery"]
