"""Items that want to be more than text: no page runs, loads or follows any of it, and all is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browsing import NEEDED, enter, opened
from playwright.sync_api import expect
from review_house import PASSWORD, TIERS, House, served

from daemon.core.account_rows import Role
from daemon.core.states import Purpose

pytestmark = NEEDED

SCRIPT = "<script>window.pwned=1</script>"
NAME = "<img src=x onerror=window.pwned=1>"
"""Of a person; every character of it may stand in a name."""

TURNED = "\u202e"
"""What follows on the line runs from right to left."""

TEXT = (
    f"{SCRIPT}\"'><img src=x onerror=window.pwned=1></p></td></textarea><svg/onload=window.pwned=1>"
    "<a href=javascript:window.pwned=1>x</a> [x](javascript:window.pwned=1) {{ 7 * 7 }} {% raw %}"
    f" ${{window.pwned=1}} a\0b &lt;b&gt; \u2066{TURNED}mah"
)
ID = f"../<b onmouseover=window.pwned=1>\"'?q=1#%2e{TURNED}"
IMAGES = [
    "javascript:window.pwned=1",
    "data:text/html,<script>window.pwned=1</script>",
    "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9IndpbmRvdy5wd25lZD0xIi8+",
    'data:image/png;base64,"onerror="window.pwned=1',
    'https://127.0.0.1:9/x.png" onerror="window.pwned=1',
]

FINDINGS = """turned => {
  const found = window.pwned === undefined ? [] : ["a script ran"];
  const addresses = ["href", "src", "srcset", "action", "formaction", "data", "xlink:href"];
  for (const one of document.querySelectorAll("*")) {
    for (const { name, value } of one.attributes) {
      if (name.startsWith("on")) found.push(`${one.localName} has ${name}`);
      const fine = /^(https?:|[/#][^/]|[/#]$|data:image[/]png;base64,)/i;
      if (addresses.includes(name) && !fine.test(value.trim()))
        found.push(`${one.localName} has ${name}=${value}`);
    }
  }
  const foreign = "script:not([src^='/static/']), style, iframe, object, embed, base, svg[onload], main b";
  for (const one of document.querySelectorAll(foreign)) found.push(one.outerHTML);
  // What turns its own line round must not turn what others say beside it.
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.data.includes(turned) || text.parentElement.getClientRects().length === 0) continue;
    let holder = text.parentElement;
    const inline = () => getComputedStyle(holder).display === "inline";
    const apart = () => getComputedStyle(holder).unicodeBidi.startsWith("isolate");
    while (inline() && !apart()) holder = holder.parentElement;
    if (inline()) continue;
    const after = document.createRange();
    after.setStartAfter(text);
    after.setEndAfter(holder.lastChild);
    if (after.toString().trim() !== "") found.push(`turned round: ${after.toString().trim()}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Items that two people answered differently, flagged and vouched for, and one that waits."""
    made = House(tmp_path_factory.mktemp("hostile"))
    made.register_functions(f"words {SCRIPT}", f"greeting{NAME}")
    made.close_window(prefix=SCRIPT)
    judged = made.ask([TEXT, {f"a{SCRIPT}": TEXT, NAME: "short"}], tier="crowd", prefix=ID, images=IMAGES)
    answer(made, NAME, "crowd", 1)
    made.ask_again(judged)
    answer(made, "Eve", "expert", 0)
    made.ask([{f"a{SCRIPT}": TEXT, NAME: TEXT}], prefix=f"waiting{ID}", images=IMAGES)
    yield made
    made.close()


def answer(house: House, name: str, tier: str, label: int) -> None:
    """Answer all that waits in a tier."""
    person = house.questions.enroll(name, tier).id
    for lease in house.questions.lease(person, tier, 100, 60.0):
        house.questions.answer(lease.question, person, label, 4.0)


@pytest.fixture(scope="module")
def address(house: House) -> Iterator[str]:
    with served(house.app()) as where:
        yield where


def shown(page: Any, path: str, ready: str, *texts: str) -> None:
    """The page shows these texts as they are, and does nothing else with them."""
    answered = page.goto(path)
    page.wait_for_selector(ready)
    for text in texts:
        expect(page.locator("body")).to_contain_text(text, use_inner_text=False)
    assert page.evaluate(FINDINGS, TURNED) == [], path
    assert "unsafe" not in answered.headers["content-security-policy"]


def test_what_is_hostile_is_found(browser: Any, address: str) -> None:
    """The look that all tests here rest on sees what it is to see."""
    with browser.new_context(base_url=address) as context:  # of which the policy complains
        page = context.new_page()
        page.goto("/")
        page.evaluate(
            """turned => {
              document.querySelector("main").innerHTML =
                `<a href="javascript:0">x</a><p><span>${turned}abc</span> said ham</p><b onclick="0">y</b>`;
            }""",
            TURNED,
        )
        found = " ".join(page.evaluate(FINDINGS, TURNED))
    for words in ("a has href=javascript:0", "turned round: said ham", "b has onclick"):
        assert words in found


def test_hostile_items_are_text_on_every_page(browser: Any, address: str) -> None:
    asked: list[str] = []
    fresh = "body[data-fresh]"
    with opened(browser, address) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
        enter(page, NAME)
        shown(page, "/", "#enter")
        shown(page, "/review", "#item[data-question]", SCRIPT, NAME, IMAGES[0])
        shown(page, "/dashboard", fresh, SCRIPT)
        shown(page, "/lead", fresh, SCRIPT, NAME)
        shown(page, "/insights", fresh, f"words {SCRIPT}")
        shown(page, f"/items/{quote(ID, safe='')}-00", "h1.item-id", ID, SCRIPT, NAME, IMAGES[0], IMAGES[4])
        shown(page, f"/items/{quote(ID, safe='')}-01", "h1.item-id", f"a{SCRIPT}")
        shown(page, f"/items/{quote(SCRIPT, safe='')}", "h1")
        shown(page, f"/runs/{quote(SCRIPT, safe='')}", "h1")
        shown(page, "/api/docs", "h1")
    assert {url for url in asked if not url.startswith((address, "data:image/png;base64,"))} == set()


def test_links_of_hostile_items_lead_to_them(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        page.goto("/lead")
        page.wait_for_selector("body[data-fresh]")
        page.click("#disagreements a >> nth=0")
        expect(page.locator("h1.item-id")).to_contain_text("../<b onmouseover")


def test_hostile_names_and_notes_are_text_where_there_are_accounts(browser: Any, tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add_account(NAME, Role.ADMIN, tuple(TIERS))
    house.ask([TEXT], prefix=ID, purpose=Purpose.SETTLE)
    fresh = "body[data-fresh]"
    with served(house.app()) as address, opened(browser, address) as page:
        page.goto("/login")
        page.fill("input[name=name]", NAME)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.check("#enter input[value=expert]")
        page.click("#enter button")
        page.wait_for_selector("#item[data-question]")
        page.keyboard.press("f")
        page.fill("#flag-note", SCRIPT)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Nothing waits for you right now.")
        shown(page, f"/items/{quote(ID, safe='')}-00", "h1.item-id", SCRIPT, NAME)
        page.goto("/lead")
        page.wait_for_selector(fresh)
        page.fill("#truth-item", f"{ID}-00")
        page.check("#truth-form input[value=ham]")
        page.click("#truth-form button")
        expect(page.locator("#truths tbody")).to_contain_text(SCRIPT, use_inner_text=False)
        assert page.evaluate(FINDINGS, TURNED) == []
        shown(page, "/account", "h1", NAME)
        shown(page, "/people", "#accounts", NAME)
    house.close()
