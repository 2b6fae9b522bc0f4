"""Any number of classes on the review page: buttons stay pressed, Enter sends, undo brings it all back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import NEEDED, enter, eventually, opened
from review_house import House, served

from labeling_functions.task import MULTILABEL, Task

TOPICS = Task(
    "topics",
    ("billing", "delivery", "damaged", "account", "praise"),
    MULTILABEL,
    guidelines="What is the message about?",
    descriptions={"billing": "what was charged, or should be paid back"},
)
MANY = Task("many", tuple(f"class {number}" for number in range(1, 14)), MULTILABEL)
TEXTS = [f"message number {number}" for number in range(6)]
PRESSED = "[...document.querySelectorAll('.answer[aria-pressed=true]')].map(one => one.dataset.label)"

pytestmark = NEEDED


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house of messages; of the task that the test asks for."""
    made = House(tmp_path, task=getattr(request, "param", TOPICS))
    made.ask(TEXTS)
    yield made
    made.close()


@pytest.fixture
def page(browser: object, house: House) -> Iterator[object]:
    """A reviewer's page with the first item."""
    with served(house.app()) as address, opened(browser, address) as page:
        enter(page)
        yield page


def _text(page) -> str:
    return str(page.text_content("#item p"))


def _press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def _send(page) -> None:
    """Press Enter and wait for the next item."""
    before = page.get_attribute("#item", "data-question")
    page.keyboard.press("Enter")
    page.wait_for_function("before => ![before, undefined].includes(item.dataset.question)", arg=before)


def test_digits_choose_and_enter_sends(house: House, page) -> None:
    assert page.text_content("#send") == "None of these ⏎"
    _press(page, "1", "5", "2", "2")
    assert page.evaluate(PRESSED) == ["billing", "praise"]
    assert page.text_content("#send") == "Send ⏎"
    _send(page)
    assert (_text(page), page.evaluate(PRESSED)) == (TEXTS[1], [])
    _send(page)
    _press(page, "s")
    page.wait_for_function("wanted => item.textContent === wanted", arg=TEXTS[3])
    _press(page, "4")
    _send(page)
    eventually(lambda: len(house.standing_answers()) == 3)
    assert house.standing_answers() == {
        "item-00": ["billing", "praise"],
        "item-01": [],
        "item-03": ["account"],
    }
    assert page.text_content("#count") == "3"


def test_undo_brings_back_what_was_chosen(house: House, page) -> None:
    _press(page, "3", "5")
    _send(page)
    eventually(lambda: house.standing_answers() == {"item-00": ["damaged", "praise"]})
    _press(page, "1", "u")
    page.wait_for_function("wanted => item.textContent === wanted", arg=TEXTS[0])
    assert page.evaluate(PRESSED) == ["damaged", "praise"]
    eventually(lambda: house.standing_answers() == {})
    _press(page, "5")
    _send(page)
    eventually(lambda: house.standing_answers() == {"item-00": ["damaged"]})
    assert _text(page) == TEXTS[1]
    assert page.evaluate(PRESSED) == ["billing"], "what was begun before the undo is not lost"


def test_enter_on_another_button_presses_that_one(house: House, page) -> None:
    _press(page, "2")
    page.focus("#help")
    _press(page, "Enter")
    assert page.is_visible("#keys")
    assert "none of these classes applies" in page.text_content("#keys")
    _press(page, "Escape")
    page.focus(".answer[data-label=billing]")
    _press(page, "Space")
    assert page.evaluate(PRESSED) == ["billing", "delivery"]
    _send(page)
    eventually(lambda: house.standing_answers() == {"item-00": ["billing", "delivery"]})


def test_a_key_held_down_sends_once(house: House, page) -> None:
    page.click("#send")
    page.wait_for_function("wanted => item.textContent === wanted", arg=TEXTS[1])
    page.keyboard.down("Enter")
    page.wait_for_function("wanted => item.textContent === wanted", arg=TEXTS[2])
    page.keyboard.down("Enter")  # what a keyboard repeats while a key is held
    page.keyboard.up("Enter")
    _press(page, "1")
    _send(page)
    eventually(lambda: len(house.standing_answers()) == 3)
    assert house.standing_answers() == {"item-00": [], "item-01": [], "item-02": ["billing"]}


def test_with_the_mouse_on_a_phone(house: House, page) -> None:
    page.set_viewport_size({"width": 390, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("damaged", "delivery"):
        page.click(f".answer[data-label={name}]")
    page.click("#send")
    eventually(lambda: house.standing_answers() == {"item-00": ["delivery", "damaged"]})
    page.goto("/items/item-00")
    assert page.text_content("p >> strong").split() == ["delivery"], "as the loop has it"
    assert "delivery" in page.text_content("[aria-label=Answers] tbody")


@pytest.mark.parametrize("house", [MANY], indirect=True)
def test_more_than_ten_classes_are_reached_without_digits(house: House, page) -> None:
    assert page.locator(".answer").count() == 13
    _press(page, "0")
    page.focus(".answer[data-label='class 10']")
    _press(page, "Tab", "Tab", "Tab", "Space", "Tab")
    assert page.evaluate("document.activeElement.id") == "send"
    assert page.evaluate(PRESSED) == ["class 10", "class 13"]
    _send(page)
    eventually(lambda: house.standing_answers() == {"item-00": ["class 10", "class 13"]})


def test_the_next_item_is_there_at_once(house: House, page) -> None:
    eventually(lambda: sum(queue.leased for queue in house.services.reports.overview().queues) == 3)
    took = []
    for text in TEXTS[1:3]:
        milliseconds, shown = page.evaluate(
            """() => {
              const began = performance.now();
              dispatchEvent(new KeyboardEvent("keydown", { key: "1" }));
              document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
              return [performance.now() - began, item.textContent];
            }"""
        )
        assert shown == text
        took.append(milliseconds)
    assert min(took) < 100, "the machine may be busy with other tests once"
    eventually(lambda: house.standing_answers() == {"item-00": ["billing"]})


def test_the_dashboard_tells_sets(house: House, page) -> None:
    page.goto("/dashboard")
    page.wait_for_selector("#labels td:has-text('delivery')")
    assert page.locator("#classes .meter-name").all_text_contents() == [*TOPICS.classes, "none"]
    assert "every class in it" in page.text_content("#sentence")
