"""The list of metrics as tables for the documentation."""

import sys
from collections.abc import Iterable
from pathlib import Path

from daemon.core.metrics import By, Metric, told_by

START, END = "<!-- metrics: made by metrics_reference.py -->\n\n", "<!-- end of metrics -->"
"""Between these two the documentation holds the tables."""

TITLES = {
    By.LOOP: "The loop, told by `labelloop review`",
    By.RUN: "`labelloop run`",
    By.LEARN: "`labelloop learn`",
    By.ANNOTATE: "`labelloop annotate`",
    By.ANY: "Each of these three processes, as the system sees it (Linux)",
}


def markdown() -> str:
    """One table for each kind of process."""
    return "\n".join(f"### {title}\n\n{_table(told_by(by))}" for by, title in TITLES.items())


def _table(metrics: Iterable[Metric]) -> str:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {_labels(metric)} | {metric.meaning} |\n" for metric in metrics
    ]
    return "| metric | kind | labels | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def rewrite(document: Path) -> None:
    """Put the tables into a document that holds START and END."""
    before, _, rest = document.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    document.write_text(before + START + markdown() + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]))
