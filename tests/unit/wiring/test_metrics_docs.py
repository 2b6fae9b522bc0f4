"""What the documentation says of metrics."""

from pathlib import Path

from daemon.wiring.metrics_reference import markdown

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_documentation_holds_the_list_as_it_is() -> None:
    assert markdown() in DOCS.read_text(), "run: python -m daemon.wiring.metrics_reference docs/metrics.md"
