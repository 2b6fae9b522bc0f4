"""What the documentation says of metrics and of the log."""

from pathlib import Path

from daemon.wiring.metrics_reference import events, markdown

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_documentation_holds_the_list_as_it_is() -> None:
    text = DOCS.read_text()
    assert markdown() in text and events() in text, (
        "run: python -m daemon.wiring.metrics_reference docs/metrics.md"
    )
