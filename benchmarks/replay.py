"""200,000 short texts labeled anew by ten regex functions, beside a plain loop of the same work.

The loop is what one would write by hand: read a line, search ten patterns, take the majority, write a line.
It keeps no chunks, cannot go on after an end, and knows neither posterior nor confidence.
"""

import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.labeling_functions import PATTERNS, WORDS
from daemon.wiring import replay
from daemon.wiring.config import load

N_TEXTS = 200_000
REPEATS = 3
FUNCTIONS = "from labeling_functions import matches\n\n" + "\n".join(
    f"f{place} = matches('f{place}', {pattern!r}, {place % 2})" for place, pattern in enumerate(PATTERNS)
)
CONFIG = """
task: {name: bench, classes: [ham, spam]}
functions: {modules: [my_functions.py]}
tiers: {expert: {final: true}}
encoder: null
"""


def main() -> None:
    """Print items per second and ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "labelloop.yaml").write_text(CONFIG)
        (folder / "my_functions.py").write_text(FUNCTIONS)
        _write(folder / "archive.jsonl")
        ways: dict[str, Callable[[], None]] = {
            "plain loop (json, re, majority)": lambda: _plain(folder),
            "replay, JSON lines": lambda: _replay(folder, "out.jsonl"),
            "replay, Parquet": lambda: _replay(folder, "out.parquet"),
        }
        seconds = {way: min(_timed(run) for _ in range(REPEATS)) for way, run in ways.items()}
    baseline = next(iter(seconds.values()))
    table = Table(f"{N_TEXTS:,} texts, ten regex functions", "items/s of CPU time", "times the first")
    for way, taken in seconds.items():
        table.add_row(way, f"{N_TEXTS / taken:,.0f}", f"{baseline / taken:.2f}")
    Console().print(table)


def _write(file: Path) -> None:
    rng, words = random.Random(7), WORDS.split()
    with file.open("w") as lines:
        for number in range(N_TEXTS):
            text = " ".join(rng.choices(words, k=rng.randint(4, 24)))
            lines.write(json.dumps({"id": f"item-{number}", "text": text}) + "\n")


def _plain(folder: Path) -> None:
    searches = [(re.compile(pattern).search, place % 2) for place, pattern in enumerate(PATTERNS)]
    with (folder / "archive.jsonl").open() as lines, (folder / "plain.jsonl").open("w") as out:
        for line in lines:
            item = json.loads(line)
            votes = Counter(label for search, label in searches if search(item["text"]))
            label = votes.most_common(1)[0][0] if votes else 0
            out.write(
                json.dumps(
                    {"item": item["id"], "label": ("ham", "spam")[label], "votes": sum(votes.values())}
                )
                + "\n"
            )


def _replay(folder: Path, out: str) -> None:
    (folder / out).unlink(missing_ok=True)
    wish = replay.Wish(files=(str(folder / "archive.jsonl"),), rows=folder / out)
    replay.main(load(folder / "labelloop.yaml"), wish)


def _timed(run: Callable[[], None]) -> float:
    """Seconds of this process's own time."""
    started = time.process_time()
    run()
    return time.process_time() - started


if __name__ == "__main__":
    main()
