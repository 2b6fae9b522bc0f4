"""A real browser for tests of pages: opened once, looked through by axe-core, and what it shows is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka_fixtures import wait_until
from patience import PATIENCE

from benchmarks.browsers import CHROMIUM

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NEEDED = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found (Debian: apt install chromium)"),
]
DEADLINE_SECONDS = 15.0 * PATIENCE
playwright_api.expect.set_options(timeout=DEADLINE_SECONDS * 1_000)
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WCAG_AA = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    with playwright_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def opened(browser: Any, address: str, **looks: Any) -> Iterator[Any]:
    """A page of a fresh visitor; anything that it complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(base_url=address, **looks)
    page = context.new_page()
    page.set_default_timeout(DEADLINE_SECONDS * 1_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert complaints == []


def enter(page: Any, name: str = "Ann", tier: str = "expert") -> None:
    """Say who sits there, and wait for the first item."""
    page.goto("/")
    page.fill("#name", name)
    page.check(f"input[value={tier}]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#item[data-question]")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what the page sends in the background to have happened."""
    wait_until(condition, 15, "what the page does")


def barriers(page: Any) -> list[str]:
    """What axe-core finds in the way of people, by the rules of WCAG 2.2 AA and its best practices."""
    found = axe_api.Axe().run(page, options=WCAG_AA)
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(str(node["target"][0]) for node in one["nodes"][:5])
        for one in found.response["violations"]
    ]


def keep(page: Any, name: str) -> None:
    """Leave a picture of the whole page for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def sticks_out(page: Any) -> list[str]:
    """What is wider than the page, or, where there is room for whole tables, cut at its card's edge."""
    found: list[str] = page.evaluate(
        """() => [
          ...(document.documentElement.scrollWidth > innerWidth ? ["the page itself"] : []),
          ...[...document.querySelectorAll("table")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest("[tabindex]"))
            .map((one) => one.id),
          ...[...document.querySelectorAll(".scroll")]
            .filter((one) => innerWidth >= 1280 && one.scrollWidth > one.clientWidth)
            .map((one) => `cut: ${one.getAttribute("aria-label")}`)]"""
    )
    return found
