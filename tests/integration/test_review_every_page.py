"""Every page in both color schemes, at a desk and on a phone: nobody is shut out, nothing sticks out."""

from collections.abc import Iterator

import numpy as np
import pytest
from browsing import NEEDED, barriers, enter, keep, opened, sticks_out
from review_house import House, served

pytestmark = NEEDED

TEXTS = ["win a prize now", "see you at eight", "the third of them"]
PAGES = {
    "start": ("/", "#enter"),
    "review": ("/review", "#item[data-question]"),
    "dashboard": ("/dashboard", "body[data-fresh]"),
    "lead": ("/lead", "body[data-fresh]"),
    "insights": ("/insights", "body[data-fresh]"),
    "item": ("/items/item-00", "h1"),
    "missing": ("/items/nothing", "h1"),
    "docs": ("/api/docs", "h1"),
}
WIDTHS = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A house with questions, and with answers on one of its items."""
    house = House(tmp_path_factory.mktemp("house"))
    house.register_functions("prize_words", "greeting")
    house.close_window()
    judged = house.ask(TEXTS[:2], tier="crowd", prefix="judged")
    _answer(house, "Bob Archibald", "crowd", 1)
    house.learn({"tier:crowd@1": np.array([[40.2, 3.0], [8.1, 12.7]]), "tier:crowd": np.eye(2)})
    house.ask_again(judged)
    _answer(house, "Eve", "expert", 1)
    house.ask(TEXTS)
    with served(house.app()) as where:
        yield where
    house.close()


def _answer(house: House, name: str, tier: str, label: int) -> None:
    """Answer all that waits in a tier."""
    person = house.questions.enroll(name, tier).id
    for lease in house.questions.lease(person, tier, 100, 60.0):
        house.questions.answer(lease.question, person, label, 4.0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_every_page_is_open_to_everybody(browser, address: str, scheme: str, device: str) -> None:
    width, height = WIDTHS[device]
    size = {"width": width, "height": height}
    found: dict[str, list[str]] = {}
    with opened(browser, address, color_scheme=scheme, viewport=size) as page:
        enter(page)
        for name, (path, shown) in PAGES.items():
            page.goto(path)
            page.wait_for_selector(shown)
            keep(page, f"{name}-{scheme}-{device}")
            found[name] = [*barriers(page), *sticks_out(page)]
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_what_shuts_people_out_is_found(browser, address: str) -> None:
    with opened(browser, address) as page:
        page.goto("/")
        page.evaluate("""() => {
          document.getElementById("name").labels?.[0]?.remove();
          document.querySelector("main p").style.color = "#ccc";
        }""")
        found = " ".join(barriers(page))
    assert "color-contrast" in found
    assert "label:" in found


def test_what_windows_and_audits_say_is_drawn_and_told_as_tables(browser, address: str) -> None:
    with opened(browser, address, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/insights")
        page.wait_for_selector("body[data-fresh]")
        assert page.text_content("#rests-on").endswith("60 random blind answers and 1 window.")
        prize = page.text_content("#functions tbody tr >> nth=0")
        assert "prize_words" in prize
        assert "90.0%" in prize
        assert page.get_attribute(".trend", "aria-label") == "right over time: 90%, 90%"
        assert "10.0% among 100.0%" in page.get_attribute("#risk-plot", "aria-label")
        page.click("#risk-details summary")
        page.click("#cost-details summary")
        assert page.text_content("#certified-table tbody tr") == "10.80050.0%5.0%"
        assert page.text_content(".confusion tbody tr >> nth=0") == "ham0 0.0%6 100.0%"
        assert [*barriers(page), *sticks_out(page)] == []
        keep(page, "insights-tables")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialogs_are_open_to_everybody_too(browser, address: str, scheme: str) -> None:
    with opened(browser, address, color_scheme=scheme) as page:
        enter(page)
        page.keyboard.press("?")
        assert barriers(page) == []
        keep(page, f"review-keys-{scheme}")
        page.goto("/lead")
        page.wait_for_selector("body[data-fresh]")
        page.click("[data-reviewer] >> nth=0")
        assert barriers(page) == []
        keep(page, f"lead-pause-{scheme}")


def test_tab_goes_from_the_pages_to_the_item_then_to_its_answers_and_guidelines(
    browser, address: str
) -> None:
    with opened(browser, address) as page:
        enter(page)
        page.evaluate("document.activeElement.blur()")
        places = []
        for _ in range(20):
            page.keyboard.press("Tab")
            places.append(
                page.evaluate(
                    """() => {
                      const on = document.activeElement;
                      const outline = getComputedStyle(on).outlineStyle;
                      return [on.id || on.dataset.label || on.textContent.trim(), outline !== "none"];
                    }"""
                )
            )
            if places[-1][0] == "guidelines":
                break
    order = [place for place, _ in places]
    wanted = ["Review", "Dashboard", "toggle", "help", "item", "ham", "spam", "skip", "guidelines"]
    assert [place for place in order if place in wanted] == wanted
    assert all(outlined for _, outlined in places), "where one stands can be seen"
