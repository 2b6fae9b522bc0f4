"""A training run as a page of Markdown, for its description in MLflow."""

from collections.abc import Mapping, Sequence

from daemon.core.runs import TrainingRun


def run_summary(run: TrainingRun) -> str:
    """What a person wants to know first: was it promoted and why, how good is it, which functions help."""
    verdict = "Promoted" if run.promoted else "Not promoted"
    parts = [
        f"**{verdict}**: {run.reason}",
        f"Learned from {run.dataset.rows:,} items ({run.dataset.source}).",
    ]
    tables = {
        "Against the champion": run.change_table,
        "Classes": run.class_table,
        "People and language models": run.annotator_table,
        "Judges of pairs, asked in both orders": run.judge_table,
        "Members of the posterior": run.member_table,
    }
    for title, table in tables.items():
        if table:
            parts += [f"### {title}", _table(table)]
    parts += [
        "### Metrics",
        _table([{"metric": name, "value": value} for name, value in sorted(run.metrics.items())]),
    ]
    if run.function_table:
        parts += ["### Labeling functions", _table(run.function_table)]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    """Markdown table with the keys of the first row as its head; numbers to the right."""
    if not rows:
        return "none"
    head = list(rows[0])
    rule = ["---:" if isinstance(rows[0][key], int | float) else "---" for key in head]
    body = [[_cell(row[key]) for key in head] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *body])


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
