"""The lists of metrics and of events in the log as tables for the documentation."""

import sys
from collections.abc import Iterable
from pathlib import Path

from daemon.core.actions import ACTIONS
from daemon.core.metrics import By, Metric, told_by

START, END = "<!-- metrics: made by metrics_reference.py -->\n\n", "<!-- end of metrics -->"
EVENTS, EVENTS_END = "<!-- events: made by metrics_reference.py -->\n\n", "<!-- end of events -->"
"""Between two of these the documentation holds the tables."""

TITLES = {
    By.LOOP: "The loop, told by `labelloop review`",
    By.RUN: "`labelloop run`",
    By.LEARN: "`labelloop learn`",
    By.ANNOTATE: "`labelloop annotate`",
    By.EVERY: "Each of these three processes",
    By.ANY: "The same, as the system sees it (Linux)",
}


def markdown() -> str:
    """One table for each kind of process."""
    return "\n".join(f"### {title}\n\n{_table(told_by(by))}" for by, title in TITLES.items())


def events() -> str:
    """All keys in one table."""
    rows = "".join(f"| `{action.key}` | {action.meaning} |\n" for action in ACTIONS)
    return f"| action | what has happened |\n|---|---|\n{rows}"


def _table(metrics: Iterable[Metric]) -> str:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {_labels(metric)} | {metric.meaning} |\n" for metric in metrics
    ]
    return "| metric | kind | labels | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def rewrite(document: Path) -> None:
    """Put the tables into a document that holds the marks."""
    text = document.read_text(encoding="utf-8")
    for start, tables, end in ((START, markdown(), END), (EVENTS, events(), EVENTS_END)):
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}{tables}\n{end}{after}"
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]))
