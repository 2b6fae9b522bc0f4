"""Metrics as Prometheus reads them; whatever is not in the list of metrics is refused."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from daemon.core.metrics import METRICS, By, Metric, MetricKind, Sample, told_by

__all__ = ["PrometheusMeter", "exposition"]

KNOWN = {metric.name: metric for metric in METRICS}


class PrometheusMeter:
    """`daemon.core.metrics.Meter`: what one kind of process counts, and how the system sees the process."""

    def __init__(self, by: By) -> None:
        """`by`: kind of this process."""
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge | None] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in (*told_by(by), *told_by(By.EVERY)):
            self._make(metric)
        ProcessCollector(registry=self._registry)

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Count up; KeyError for a metric that this process does not tell."""
        counter = self._counters[metric.name]
        (counter.labels(*labels) if metric.labels else counter).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """The figure as it is now; one that was never set is not told."""
        gauge = self._gauges[metric.name]
        if gauge is None:
            gauge = Gauge(metric.name, metric.meaning, metric.labels, registry=self._registry)
            self._gauges[metric.name] = gauge
        (gauge.labels(*labels) if metric.labels else gauge).set(value)

    def forget(self, metric: Metric) -> None:
        """The figure is not known now: it is missing until it is set again."""
        gauge = self._gauges[metric.name]
        if gauge is not None:
            self._registry.unregister(gauge)
            self._gauges[metric.name] = None

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """One more in a histogram."""
        histogram = self._histograms[metric.name]
        (histogram.labels(*labels) if metric.labels else histogram).observe(value)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """Text and its type, in the form that the caller's Accept header names."""
        return _expose(self._registry, accept)

    def _make(self, metric: Metric) -> None:
        name, meaning, labels = metric.name, metric.meaning, metric.labels
        if metric.kind is MetricKind.COUNTER:
            self._counters[metric.name] = Counter(name, meaning, labels, registry=self._registry)
        elif metric.kind is MetricKind.GAUGE:
            self._gauges[metric.name] = None
        else:
            self._histograms[metric.name] = Histogram(
                name, meaning, labels, buckets=metric.buckets, registry=self._registry
            )


def exposition(samples: Sequence[Sample], accept: str) -> tuple[bytes, str]:
    """Gauges that were read just now, as text, and the type of the text.

    Raises:
        KeyError: a metric that is not in the list.
    """
    registry = CollectorRegistry()
    registry.register(_Read(samples))
    return _expose(registry, accept)


class _Read(Collector):
    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Family]:
        """One family a metric, in the order of the samples."""
        families: dict[str, GaugeMetricFamily] = {}
        for sample in self._samples:
            metric = KNOWN[sample.metric.name]
            if metric.name not in families:
                families[metric.name] = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            families[metric.name].add_metric(sample.labels, sample.value)
        return families.values()


def _expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    encode, kind = choose_encoder(accept)
    return encode(registry), kind
