"""How long a reviewer waits for the next item: from the key to the picture, in a real browser.

    labelloop demo --reviewers you          # in another terminal; wait until questions are there
    python -m benchmarks.next_item http://127.0.0.1:8400 --items 200

It answers the queue as a reviewer of its own would, always with the first answer.
"""

import argparse
import json
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.browsers import CHROMIUM

WATCH = """() => {
  const item = document.getElementById("item");
  window.waits = [];
  let pressed = null;
  addEventListener("keydown", () => { pressed = performance.now(); }, { capture: true });
  new MutationObserver(() => {
    if (pressed === null || !("question" in item.dataset)) return;
    const from = pressed;
    pressed = null;
    // A message that is sent in a frame's callback arrives when that frame is painted.
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.waits.push(performance.now() - from);
      channel.port2.postMessage(null);
    });
  }).observe(item, { childList: true });
}"""


def measure(address: str, tier: str, items: int) -> list[float]:
    """Milliseconds from each key to the painted next item; fewer than asked for when the queue runs dry."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=address)
        page.goto("/")
        page.fill("#name", "benchmark")
        page.check(f"input[value={tier}]")
        page.keyboard.press("Enter")
        page.wait_for_selector("#item[data-question]")
        page.evaluate(WATCH)
        for number in range(items):
            page.keyboard.press("1")
            if not _arrived(page, number + 1):
                break
        waits: list[float] = page.evaluate("window.waits")
        browser.close()
    return waits


def _arrived(page: Any, count: int) -> bool:
    try:
        page.wait_for_function("count => window.waits.length >= count", arg=count, timeout=5_000)
    except Exception as error:
        if "Timeout" not in str(error):
            raise
        return False
    return True


def main() -> None:
    """Print median and p99."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--tier", default="expert")
    parser.add_argument("--items", type=int, default=200)
    given = parser.parse_args()
    waits = measure(given.address, given.tier, given.items)
    median, p99 = np.percentile(waits, [50, 99]) if waits else (float("nan"), float("nan"))
    told = {"items": len(waits), "median_ms": round(float(median), 1), "p99_ms": round(float(p99), 1)}
    print(json.dumps({**told, "most_ms": round(max(waits, default=float("nan")), 1)}))


if __name__ == "__main__":
    main()
