"""Metrics as Prometheus reads them, checked with Prometheus' own parser."""

import sys

import pytest
from metrics_for_tests import Told
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from daemon.adapters.watching.prometheus import PrometheusMeter, exposition
from daemon.core import metrics as m
from daemon.core.metrics import METRICS, By, Metric, MetricKind, Sample


def _told(text: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in read_text(text.decode())
        for sample in family.samples
    }


def _of(meter: PrometheusMeter) -> dict[tuple[str, ...], float]:
    return _told(meter.expose("")[0])


def test_counters_begin_at_zero_and_grow() -> None:
    meter = PrometheusMeter(By.RUN)
    assert _of(meter)["labelloop_items_total",] == 0
    meter.add(m.ITEMS, 256)
    meter.add(m.ITEMS, 3)
    meter.add(m.DEAD_LETTERS, 2, "not_json")
    assert _of(meter)["labelloop_items_total",] == 259
    assert _of(meter)["labelloop_dead_letters_total", "not_json"] == 2


def test_a_gauge_that_was_never_set_is_missing() -> None:
    meter = PrometheusMeter(By.RUN)
    assert ("labelloop_lag_messages",) not in _of(meter)
    meter.set(m.LAG, 7)
    meter.set(m.LAG, 5)
    assert _of(meter)["labelloop_lag_messages",] == 5


def test_a_gauge_that_is_not_known_any_more_is_missing_until_it_is_set_again() -> None:
    meter = PrometheusMeter(By.RUN)
    meter.forget(m.LAG)
    meter.set(m.LAG, 7)
    meter.forget(m.LAG)
    assert ("labelloop_lag_messages",) not in _of(meter)
    meter.set(m.LAG, 5)
    assert _of(meter)["labelloop_lag_messages",] == 5


def test_a_histogram_counts_by_the_buckets_of_the_list() -> None:
    meter = PrometheusMeter(By.RUN)
    meter.observe(m.STAGE_SECONDS, 0.2, "save")
    meter.observe(m.STAGE_SECONDS, 999.0, "save")
    told = Told(meter.expose("")[0].decode())
    assert told.get("labelloop_batch_stage_seconds_count", stage="save") == 2
    for bound, count in (("0.1", 0), ("0.25", 1), ("120.0", 1), ("+Inf", 2)):
        assert told.get("labelloop_batch_stage_seconds_bucket", stage="save", le=bound) == count


def test_what_this_process_does_not_tell_is_refused() -> None:
    meter = PrometheusMeter(By.LEARN)
    with pytest.raises(KeyError, match="labelloop_items_total"):
        meter.add(m.ITEMS, 1)
    with pytest.raises(KeyError, match="labelloop_lag_messages"):
        meter.set(m.LAG, 1)
    with pytest.raises(KeyError, match="labelloop_batch_stage_seconds"):
        meter.observe(m.STAGE_SECONDS, 1, "save")


def test_what_is_not_in_the_list_is_refused() -> None:
    foreign = Metric("labelloop_loop_surprise", MetricKind.GAUGE, By.LOOP, "Not in the list.")
    with pytest.raises(KeyError, match="labelloop_loop_surprise"):
        exposition([Sample(foreign, 1.0)], "")


@pytest.mark.parametrize("by", [By.RUN, By.LEARN, By.ANNOTATE])
def test_nothing_is_exported_beyond_the_list(by: By) -> None:
    known = {metric.name.removesuffix("_total") for metric in METRICS}
    exported = {family.name for family in read_text(PrometheusMeter(by).expose("")[0].decode())}
    assert {name for name in exported if not name.endswith("_created")} <= known


@pytest.mark.skipif(sys.platform != "linux", reason="the system's figures are read from /proc")
def test_the_process_is_told_as_the_system_sees_it() -> None:
    assert _of(PrometheusMeter(By.LEARN))["process_resident_memory_bytes",] > 1_000_000


def test_samples_of_one_metric_make_one_family() -> None:
    samples = [
        Sample(m.LOOP_ITEMS, 3, ("asking",)),
        Sample(m.OUTBOX, 1),
        Sample(m.LOOP_ITEMS, 4, ("ready",)),
    ]
    text, kind = exposition(samples, "")
    assert kind.startswith("text/plain")
    assert _told(text) == {
        ("labelloop_loop_items", "asking"): 3,
        ("labelloop_loop_items", "ready"): 4,
        ("labelloop_loop_outbox_rows",): 1,
    }


def test_hostile_label_values_stay_values() -> None:
    name = 'a"} 1\nlabelloop_loop_items{state="x"} 9\\'
    text, _ = exposition([Sample(m.LOOP_ITEMS, 3, (name,))], "")
    assert _told(text) == {("labelloop_loop_items", name): 3}


def test_openmetrics_is_given_to_whoever_asks_for_it() -> None:
    text, kind = exposition([Sample(m.OUTBOX, 1)], "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert [family.name for family in read_openmetrics(text.decode())] == ["labelloop_loop_outbox_rows"]
