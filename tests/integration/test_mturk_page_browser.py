"""The page of a HIT in a real browser, from the worker's frame to the answer that we read."""

import json
from typing import Any

import pytest
from browsing import NEEDED, barriers, keep, opened, sticks_out
from mturk_fixtures import Turk

from daemon.core.pair_order import is_turned
from daemon.core.rows import Lease
from labeling_functions.task import PREFERENCE_CLASSES, Task

pytestmark = NEEDED

MAIL = Task(
    "mail",
    ("ham", "spam", "unclear"),
    guidelines="**Spam** sells something that nobody asked for.\n\n- read it all\n- then choose",
    descriptions={"spam": "Sells something that nobody asked for."},
)
SETS = Task("topics", ("late", "broken", "other"), kind="multilabel")
PAIRS = Task("pairs", PREFERENCE_CLASSES, kind="preference")
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="
EVIL = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\n"
    "שלום עולם\n你好，世界\n" + "A long line. " * 30
)
WORKER = "A1ANN"


def offer(turk: Turk, task: Task, question: int = 7, **item: object) -> str:
    """Address of the page of a new question, for a worker who has accepted it."""
    payload = json.dumps({"id": "i", **item}).encode()
    turk.queue(task).offer([Lease(question, "i", "crowd", payload, False, 1)])
    hit = turk.hit(question).id
    return turk.server.page_url(hit, WORKER, turk.mturk.accept(hit, WORKER))


def said(turk: Turk, task: Task) -> list[int | None]:
    return [vote.label for vote in turk.queue(task).look().votes]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_read_and_use_it(turk: Turk, browser: Any, scheme: str, width: int) -> None:
    address = offer(turk, MAIL, text=EVIL, images=[DOT])
    looks = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with opened(browser, turk.server.url, **looks) as page:
        page.goto(address)
        assert barriers(page) == []
        assert sticks_out(page) == []
        keep(page, f"mturk-{scheme}-{width}")


def test_no_script_of_an_item_runs_and_its_text_is_shown(turk: Turk, browser: Any) -> None:
    with opened(browser, turk.server.url) as page:
        page.goto(offer(turk, MAIL, text=EVIL, images=[DOT]))
        assert page.title() == "Is it spam?"
        assert page.inner_text(".text").startswith("<script>document.title='owned'</script><img")
        assert page.evaluate("document.querySelector('img').naturalWidth") == 1


def test_a_key_chooses_and_enter_sends(turk: Turk, browser: Any) -> None:
    with opened(browser, turk.server.url) as page:
        page.goto(offer(turk, MAIL, text="win"))
        page.keyboard.press("3")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_url("**/mturk/externalSubmit")
    assert said(turk, MAIL) == [1]


def test_nothing_is_sent_before_a_class_is_chosen(turk: Turk, browser: Any) -> None:
    with opened(browser, turk.server.url) as page:
        address = offer(turk, MAIL, text="win")
        page.goto(address)
        page.keyboard.press("Enter")
        page.keyboard.press("9")
        page.click("button")
        assert page.url == address
        page.click("text=unclear")
        page.click("button")
        page.wait_for_url("**/mturk/externalSubmit")
    assert said(turk, MAIL) == [2]


def test_a_preview_cannot_be_answered(turk: Turk, browser: Any) -> None:
    offer(turk, MAIL, text="win")
    with opened(browser, turk.server.url) as page:
        page.goto(turk.server.page_url(turk.hit(7).id))
        assert page.is_visible("text=This is a preview")
        assert page.is_disabled("button")
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        assert page.locator("input:checked").count() == 0
    assert said(turk, MAIL) == []


def test_who_has_answered_the_item_before_is_asked_to_return_it(turk: Turk, browser: Any) -> None:
    payload = b'{"id": "i", "text": "win"}'
    turk.queue(MAIL).offer([Lease(7, "i", "crowd", payload, False, 1)], {"i": [WORKER, "bob@example.com"]})
    hit = turk.hit(7).id
    assert WORKER not in turk.mturk.page(hit)
    with opened(browser, turk.server.url) as page:
        mine = turk.mturk.accept(hit, WORKER)
        page.goto(turk.server.page_url(hit, WORKER, mine))
        page.wait_for_selector("text=You have answered this one before")
        assert page.is_disabled("button")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        assert page.locator("input:checked").count() == 0
        assert barriers(page) == []
        turk.mturk.give_back(mine)
        page.goto(turk.server.page_url(hit, "A1BOB", turk.mturk.accept(hit, "A1BOB")))
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_url("**/mturk/externalSubmit")
    assert said(turk, MAIL) == [1]


def test_any_number_of_classes_may_be_chosen_and_none(turk: Turk, browser: Any) -> None:
    with opened(browser, turk.server.url) as page:
        page.goto(offer(turk, SETS, 7, text="win"))
        for key in "1231":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_url("**/mturk/externalSubmit")
        page.goto(offer(turk, SETS, 8, text="win"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/mturk/externalSubmit")
    assert sorted(filter(None, said(turk, SETS))) == [0b110]
    assert 0 in said(turk, SETS)


def test_the_better_response_is_told_as_a_or_b_whatever_the_order(turk: Turk, browser: Any) -> None:
    fields = {"prompt": "Hi?", "response_a": "first text", "response_b": "second text"}
    with opened(browser, turk.server.url) as page:
        for wanted in (False, True):
            question = next(number for number in range(1, 99) if is_turned(number) is wanted)
            page.goto(offer(turk, PAIRS, question, fields=fields))
            left = page.locator("section .text").nth(1).inner_text()
            assert (left == "second text") is wanted
            keep(page, "mturk-pair")
            page.keyboard.press("1")
            page.keyboard.press("Enter")
            page.wait_for_url("**/mturk/externalSubmit")
            turk.clock.seconds += 1
    assert said(turk, PAIRS) == [0, 1]
