"""Metrics as Prometheus' own parser reads them."""

from prometheus_client.parser import text_string_to_metric_families


class Told:
    """What a page of metrics says."""

    def __init__(self, text: str) -> None:
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def get(self, name: str, **labels: str) -> float | None:
        """The figure; None if it is missing."""
        return self.samples.get((name, frozenset(labels.items())))

    def by(self, name: str, label: str) -> dict[str, float]:
        """Value of the label -> figure, of a metric with this one label."""
        return {dict(at)[label]: value for (found, at), value in self.samples.items() if found == name}
