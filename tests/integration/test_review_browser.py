"""A person at the keyboard: the review page in a real browser, the answers in a real database."""

from collections.abc import Iterator

import pytest
from browsing import NEEDED, barriers, enter, eventually, opened
from review_house import House, served

from daemon.core.account_rows import Actor
from daemon.core.states import PersonState, Purpose

TEXTS = [f"message number {number}" for number in range(20)]
SHOWN = "#item[data-question]"
STICKING_OUT = """[...document.querySelectorAll("table")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest("[tabindex]"))
  .map((one) => one.id)"""

pytestmark = NEEDED


@pytest.fixture
def page(browser: object, house: House) -> Iterator[object]:
    """A page on the served house."""
    with served(house.app()) as address, opened(browser, address) as page:
        yield page


def _text(page) -> str:
    return str(page.text_content("#item p"))


def _press_and_wait_for_next(page, key: str) -> None:
    before = page.get_attribute("#item", "data-question")
    page.keyboard.press(key)
    page.wait_for_function("before => ![before, undefined].includes(item.dataset.question)", arg=before)


def test_twenty_items_by_keyboard_alone(house: House, page) -> None:
    house.ask(TEXTS)
    enter(page)
    expected: dict[str, str] = {}
    for number, text in enumerate(TEXTS):
        assert _text(page) == text
        if number == 7:
            _press_and_wait_for_next(page, "s")
            continue
        choice = "2" if number % 3 == 0 else "1"
        if number == 11:  # a slip, taken back at once
            _press_and_wait_for_next(page, "1")
            _press_and_wait_for_next(page, "u")
            assert _text(page) == text
            choice = "2"
        expected[f"item-{number:02d}"] = "spam" if choice == "2" else "ham"
        if number < len(TEXTS) - 1:
            _press_and_wait_for_next(page, choice)
        else:
            page.keyboard.press(choice)
    page.wait_for_selector("text=Nothing waits for you right now.")
    eventually(lambda: house.standing_answers() == expected)
    assert page.text_content("#count") == "19"


def test_an_answer_that_was_sent_can_be_taken_back(house: House, page) -> None:
    house.ask(TEXTS[:2])
    enter(page)
    _press_and_wait_for_next(page, "1")
    eventually(lambda: house.standing_answers() == {"item-00": "ham"})
    _press_and_wait_for_next(page, "u")
    assert _text(page) == TEXTS[0]
    eventually(lambda: house.standing_answers() == {})
    page.keyboard.press("2")
    eventually(lambda: house.standing_answers() == {"item-00": "spam"})


def test_a_lost_connection_loses_no_answer(house: House, page) -> None:
    house.ask(TEXTS[:4])
    enter(page)
    eventually(lambda: _held(house) == 3)
    page.context.set_offline(True)
    _press_and_wait_for_next(page, "1")
    _press_and_wait_for_next(page, "2")
    page.wait_for_selector("#notice:has-text('No connection')")
    assert "2 answers are kept" in page.text_content("#notice")
    assert house.standing_answers() == {}
    page.context.set_offline(False)
    eventually(lambda: house.standing_answers() == {"item-00": "ham", "item-01": "spam"})
    page.wait_for_selector("#notice", state="hidden")
    _press_and_wait_for_next(page, "1")
    assert _text(page) == TEXTS[3]


def test_unsent_answers_survive_a_reload(house: House, page) -> None:
    house.ask(TEXTS[:3])
    enter(page)
    eventually(lambda: _held(house) == 3)
    page.route("**/api/answers", lambda route: route.abort())
    _press_and_wait_for_next(page, "2")
    page.wait_for_selector("#notice:has-text('No connection')")
    page.unroute("**/api/answers")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.wait_for_selector(SHOWN)
    eventually(lambda: house.standing_answers() == {"item-00": "spam"})
    assert _text(page) == TEXTS[1]


def test_an_item_that_is_wanted_no_more_is_replaced(house: House, page) -> None:
    house.ask(TEXTS[:2])
    enter(page)
    other = house.questions.enroll("bob", "expert").id
    house.clock.advance(3_600)
    for lease in house.questions.lease(other, "expert", 1, 60.0):
        house.questions.answer(lease.question, other, 0, 1.0)
    page.keyboard.press("2")
    page.wait_for_selector("#notice:has-text('not needed any more')")
    assert house.standing_answers() == {"item-00": "ham"}
    assert page.text_content("#count") == "0"


def test_an_audit_shows_nothing_but_the_item(house: House, page) -> None:
    house.ask(["judge me blind"], purpose=Purpose.AUDIT)
    heard: list[str] = []
    page.on("response", lambda answer: heard.append(answer.text()) if "/api/" in answer.url else None)
    enter(page)
    eventually(lambda: any("judge me blind" in body for body in heard))
    everything = page.content() + "".join(body for body in heard if "judge me" in body)
    for told in (
        "audit",
        "posterior",
        "probab",
        "0.875",
        "87.5",
        "provisional",
        "secret-metadata",
        "priority",
    ):
        assert told not in everything.lower(), told


def test_a_long_text_says_that_it_goes_on(house: House, page) -> None:
    house.ask(["\n".join(f"line {number}" for number in range(100)), "short"])
    enter(page)
    page.wait_for_selector("#item.more")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("item.scrollTop > 0")
    page.evaluate("item.scrollTo(0, item.scrollHeight)")
    page.wait_for_selector("#item:not(.more)")
    _press_and_wait_for_next(page, "1")
    assert page.query_selector("#item.more") is None


def test_an_item_is_flagged_with_a_reason_by_keyboard(house: House, page) -> None:
    ids = house.ask(TEXTS[:3])
    enter(page)
    page.keyboard.press("f")
    page.keyboard.type("1 is cut off s")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    assert _text(page) == TEXTS[0], "nothing was said"
    page.keyboard.press("f")
    page.keyboard.type("1 is cut off")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#item >> text={TEXTS[1]}")
    eventually(lambda: house.flags() == {ids[0]: "1 is cut off"})
    assert page.text_content("#count") == "0"


def test_who_is_paused_reads_why_and_goes_on_when_let(house: House, page) -> None:
    house.ask(TEXTS[:3])
    enter(page)
    page.wait_for_selector(SHOWN)
    (ann,) = house.services.reviewers.reviewers()
    house.services.reviewers.set_state(ann.id, PersonState.PAUSED, "please call me", Actor("lea"))
    page.keyboard.press("1")
    page.wait_for_selector("#item >> text=You are paused: please call me.")
    assert page.locator("#skip").is_disabled()
    house.services.reviewers.set_state(ann.id, PersonState.ACTIVE, "", Actor("lea"))
    page.wait_for_selector(SHOWN)


def test_on_a_phone_nothing_sticks_out(house: House, page) -> None:
    house.ask(TEXTS[:3])
    house.ask(TEXTS[:3], tier="crowd", purpose=Purpose.ADJUDICATE, prefix="second")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/dashboard", "/items/item-00", "/api/docs"):
        page.goto(path)
        if path == "/dashboard":
            page.wait_for_selector("body[data-fresh]")
        assert page.evaluate(STICKING_OUT) == [], path
        assert page.evaluate("document.querySelectorAll('h1').length") == 1, path


def test_text_of_items_is_never_markup(house: House, page) -> None:
    house.ask(["<b id=bold>bold</b><script>document.title='owned'</script>"])
    enter(page)
    assert _text(page).startswith("<b id=bold>")
    assert page.query_selector("#bold") is None


def test_keys_and_guidelines(house: House, page) -> None:
    house.ask(TEXTS[:1])
    enter(page)
    assert page.is_visible("#guidelines")
    page.keyboard.press("g")
    assert page.is_hidden("#guidelines")
    assert page.get_attribute("#toggle", "aria-expanded") == "false"
    page.keyboard.press("?")
    assert page.is_visible("#keys")
    page.keyboard.press("1")  # keys behind the dialog do nothing
    page.keyboard.press("Escape")
    assert page.is_hidden("#keys")
    assert _text(page) == TEXTS[0]
    assert house.standing_answers() == {}


def _remap(page, action: str, key: str) -> str:
    """Give an action another key in the dialog; what the page says to that."""
    page.click(f"#keys button[data-action={action}]")
    page.keyboard.press(key)
    return str(page.text_content("#keys [role=status]"))


def test_keys_are_changed_in_the_browser_and_shown_on_the_buttons(house: House, page) -> None:
    house.ask(TEXTS[:3])
    enter(page)
    page.keyboard.press("?")
    assert "has the key j now" in _remap(page, "answer_2", "j")
    page.keyboard.press("Escape")
    assert page.text_content(".answer >> nth=1 >> kbd") == "j"
    page.keyboard.press("2")
    assert _text(page) == TEXTS[0], "the old key does nothing any more"
    page.reload()
    page.wait_for_selector(SHOWN)
    _press_and_wait_for_next(page, "J")
    eventually(lambda: house.standing_answers() == {"item-00": "spam"})
    page.keyboard.press("?")
    page.click("#reset-keys")
    page.keyboard.press("Escape")
    _press_and_wait_for_next(page, "2")
    eventually(lambda: house.standing_answers() == {"item-00": "spam", "item-01": "spam"})


def test_a_key_that_is_taken_is_refused_and_escape_leaves_it(house: House, page) -> None:
    house.ask(TEXTS[:1])
    enter(page)
    page.keyboard.press("?")
    assert "s is the key of “skip" in _remap(page, "undo", "s")
    page.keyboard.press("Enter")
    assert "has a meaning of its own" in page.text_content("#keys [role=status]")
    page.keyboard.press("Escape")
    assert page.is_visible("#keys"), "the first Escape ends the change only"
    page.keyboard.press("Escape")
    assert page.is_hidden("#keys")
    assert [page.text_content(f"#{name} kbd") for name in ("undo", "skip")] == ["u", "s"]


def test_the_next_item_is_there_in_the_next_frame_whatever_the_network_does(house: House, page) -> None:
    house.ask(TEXTS[:3])
    enter(page)
    eventually(lambda: _held(house) == 3)
    held: list[object] = []
    silent = True

    def hold(route) -> None:
        if silent:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/**", hold)
    shown = page.evaluate(
        """async (keys) => {
          const shown = [];
          for (const key of keys) {
            dispatchEvent(new KeyboardEvent("keydown", { key }));
            await new Promise(requestAnimationFrame);
            shown.push(document.querySelector("#item p").textContent);
          }
          return shown;
        }""",
        ["1", "2"],
    )
    assert shown == TEXTS[1:3]
    assert house.standing_answers() == {}, "no answer can have come back"
    silent = False
    for route in held:
        route.continue_()
    page.unroute("**/api/**")
    eventually(lambda: house.standing_answers() == {"item-00": "ham", "item-01": "spam"})


def test_new_questions_appear_by_themselves(house: House, page) -> None:
    page.goto("/")
    page.fill("#name", "Ann")
    page.check("input[value=expert]")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Nothing waits for you right now.")
    house.ask(["here I am"])
    page.wait_for_selector(SHOWN)
    assert _text(page) == "here I am"


def test_a_newcomer_is_led_to_the_queue_where_work_waits(house: House, page) -> None:
    house.ask(["here I am"])
    page.goto("/")
    page.wait_for_selector("input[value=expert]:checked")
    page.fill("#name", "Ann")
    page.keyboard.press("Enter")
    page.wait_for_selector(SHOWN)


def test_a_queue_that_somebody_chose_stays_chosen(house: House, page) -> None:
    page.goto("/")
    page.click("input[value=crowd]")
    house.ask(["here I am"])
    page.wait_for_selector("output[data-queue=expert]:text-is('1 waiting')")
    assert page.is_checked("input[value=crowd]")


def test_an_empty_queue_shows_the_way_to_another_and_keeps_the_focus_there(house: House, page) -> None:
    page.goto("/")
    page.fill("#name", "Ann")
    page.check("input[value=crowd]")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Nothing waits for you right now.")
    house.ask(["here I am"])
    page.focus("button:text('Go to expert: 1 waiting')")
    for _ in range(2):
        page.wait_for_event("response", lambda one: one.url.endswith("/api/queues"))
    assert page.evaluate("document.activeElement.textContent") == "Go to expert: 1 waiting"
    page.keyboard.press("Enter")
    page.wait_for_selector(SHOWN)
    assert _text(page) == "here I am"


def test_the_dashboard_follows_the_database(house: House, page) -> None:
    house.ask(TEXTS[:3])
    page.goto("/dashboard")
    page.wait_for_selector("#items:has-text('3')")
    assert page.get_attribute("#states", "aria-label") == (
        "Items by state: certified 0, answered by people 0, being audited 0, waiting for a window 0, "
        "waiting for an answer 3"
    )
    unknown = page.text_content("#unknown")
    assert "Label model" in unknown and "10 more random blind answers." in unknown
    assert page.is_hidden("#history")
    house.ask(TEXTS[:2], prefix="more")
    page.wait_for_selector("#items:has-text('5')")
    page.click("#labels a >> nth=0")
    page.wait_for_selector("h1:has-text('-0')")


def _held(house: House) -> int:
    overview = house.services.reports.overview()
    return sum(queue.leased for queue in overview.queues)
