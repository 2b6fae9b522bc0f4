"""Every page in both color schemes, at a desk and on a phone: nobody is shut out, nothing sticks out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import NEEDED, barriers, chromium, enter, keep, opened, sticks_out
from review_house import House, blank_database, served

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
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank_database(tmp_path_factory.mktemp("blank"))


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Iterator[str]:
    """A house with questions, and with answers on one of its items."""
    house = House(tmp_path_factory.mktemp("house"), blank)
    house.register_functions("prize_words", "greeting")
    judged = house.ask(TEXTS[:2], tier="crowd", prefix="judged")
    _answer(house, "Bob Archibald", "crowd", 1)
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
