"""The one list of metrics."""

import re
from pathlib import Path

import pytest

from daemon.core import metrics
from daemon.core.metrics import METRICS, By, Metric, MetricKind

DAEMON = Path(metrics.__file__).parent.parent


def test_no_two_metrics_share_a_name() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))


def test_every_metric_has_a_name_by_the_conventions_and_a_sentence() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"(labelloop|process)_[a-z_]+", metric.name)
        assert metric.meaning[0].isupper() and metric.meaning.endswith("."), metric.name
        assert all(re.fullmatch(r"[a-z_]+", label) for label in metric.labels)
        assert (metric.kind is MetricKind.HISTOGRAM) == bool(metric.buckets), metric.name


def test_every_metric_is_told_somewhere() -> None:
    constants = {name: one for name, one in vars(metrics).items() if isinstance(one, Metric)}
    assert set(constants.values()) == set(METRICS)
    code = "\n".join(
        file.read_text() for file in DAEMON.rglob("*.py") if file != Path(metrics.__file__).resolve()
    )
    for name, metric in constants.items():
        if metric.by is not By.ANY:  # told by the library
            assert re.search(rf"\b{name}\b", code), f"{metric.name} is in the list, and nothing tells it"


@pytest.mark.parametrize(
    ("name", "kind", "by", "unit"),
    [
        ("labelloop_items", MetricKind.COUNTER, By.RUN, ""),
        ("labelloop_items_total", MetricKind.GAUGE, By.RUN, ""),
        ("labelloop_age", MetricKind.GAUGE, By.RUN, "seconds"),
        ("labelloop_age_minutes", MetricKind.GAUGE, By.RUN, "minutes"),
        ("labelloop_items", MetricKind.GAUGE, By.LOOP, ""),
        ("labelloop_loop_items", MetricKind.GAUGE, By.RUN, ""),
    ],
)
def test_a_name_against_the_conventions_is_refused(name: str, kind: MetricKind, by: By, unit: str) -> None:
    with pytest.raises(ValueError, match=name):
        Metric(name, kind, by, "Something.", (), unit)
