"""Prometheus' configuration, the rules and the dashboard speak of metrics that there are.

Neither Prometheus' own checker nor Grafana is needed: queries are read by a parser of their language.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from daemon.core.account_rules import Right
from daemon.core.metrics import METRICS, MetricKind
from daemon.core.states import Purpose
from daemon.review.access_table import right_for

TOP = Path(__file__).parents[3]
DOCKER = TOP / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SCRAPES: dict[str, Any] = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yaml").read_text())
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DOCKER / "prometheus" / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DOCKER / "grafana" / "labelloop.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SHOWN = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
QUERIES = [*((rule["alert"], rule["expr"]) for rule in RULES), *SHOWN]

OF_PROMETHEUS = {"job", "instance"}
EXPORTED: dict[str, set[str]] = {"up": OF_PROMETHEUS}
for metric in METRICS:
    labels = {*metric.labels, *OF_PROMETHEUS}
    if metric.kind is MetricKind.HISTOGRAM:
        EXPORTED[f"{metric.name}_bucket"] = labels | {"le"}
        EXPORTED[f"{metric.name}_sum"] = EXPORTED[f"{metric.name}_count"] = labels
    else:
        EXPORTED[metric.name] = labels


def _below(node: Any) -> Iterator[Any]:
    """The node and all its parts."""
    yield node
    for name in ("lhs", "rhs", "expr", "args", "param", "vector_selector"):
        part = getattr(node, name, None)
        for one in part if isinstance(part, list) else [part]:
            if one is not None and not isinstance(one, str):
                yield from _below(one)


def _selectors(node: Any) -> list[Any]:
    return [one for one in _below(node) if isinstance(one, promql.VectorSelector)]


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_a_query_names_metrics_and_labels_that_there_are(where: str, query: str) -> None:
    tree = promql.parse(query)
    for selector in _selectors(tree):
        assert selector.name in EXPORTED, f"{where}: {selector.name} is not in daemon/core/metrics.py"
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= EXPORTED[selector.name], where
    for node in _below(tree):
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            for selector in _selectors(node):
                assert set(node.modifier.labels) <= EXPORTED[selector.name], where


def test_rates_are_taken_of_counters_and_nothing_else() -> None:
    kinds = {metric.name: metric.kind for metric in METRICS}
    for where, query in QUERIES:
        for node in _below(promql.parse(query)):
            if isinstance(node, promql.Call) and node.func.name in ("rate", "increase", "deriv"):
                for name in (selector.name for selector in _selectors(node)):
                    is_gauge = kinds.get(name) is MetricKind.GAUGE
                    assert is_gauge == (node.func.name == "deriv"), f"{where}: {node.func.name} of {name}"


def test_no_alert_waits_for_a_counter_with_labels_to_be_nothing() -> None:
    """Before its first event it is missing, and what is missing equals nothing: `unless ... > 0` says it."""
    labeled = {one.name for one in METRICS if one.kind is MetricKind.COUNTER and one.labels}
    for where, query in QUERIES:
        for node in _below(promql.parse(query)):
            if isinstance(node, promql.BinaryExpr) and str(node.op) == "==":
                asked = {selector.name for selector in _selectors(node)}
                assert not asked & labeled, f"{where}: {asked & labeled} may be missing"


def test_values_of_labels_are_values_that_there_are() -> None:
    text = " ".join(query for _, query in QUERIES)
    for purposes in re.findall(r'purpose=~?"([^"]+)"', text):
        assert set(purposes.split("|")) <= {purpose.value for purpose in Purpose}
    jobs = {job["job_name"] for job in SCRAPES["scrape_configs"]}
    for job in re.findall(r'job=~"([^"]+)"', text):
        assert all(re.fullmatch(job, name) for name in jobs)


def test_every_alert_says_what_it_means_and_what_to_do_and_the_guide_has_it() -> None:
    guide = (TOP / "docs" / "operations.md").read_text()
    assert "\n### Alerts\n" in guide
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        said = rule["annotations"]
        assert {"summary", "meaning", "action"} <= set(said), rule["alert"]
        assert said["runbook"] == "docs/operations.md#alerts"
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert re.fullmatch(r"\d+[smh]", rule["for"])
        (row,) = [line for line in guide.splitlines() if line.startswith(f"| `{rule['alert']}`")]
        assert said["meaning"] in row, f"{rule['alert']}: the guide says something else"
    told = set(re.findall(r"^\| `(Labelloop\w+)`", guide, re.MULTILINE))
    assert told == {rule["alert"] for rule in RULES}


def test_summaries_use_labels_that_their_query_leaves() -> None:
    for rule in RULES:
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        tree = promql.parse(rule["expr"])
        kept = {label for selector in _selectors(tree) for label in EXPORTED[selector.name]}
        assert used <= kept, rule["alert"]
        for label in used - OF_PROMETHEUS:
            assert f"({label})" in rule["expr"], f"{rule['alert']}: {label} is lost on the way"


def test_prometheus_looks_where_compose_serves_metrics() -> None:
    settings = yaml.safe_load((DOCKER / "labelloop.yaml").read_text())
    ports = {
        "review": settings["review"]["port"],
        **dict.fromkeys(("worker", "learner"), settings["metrics"]["port"]),
    }
    asked = {}
    for job in SCRAPES["scrape_configs"]:
        for place in job.get("static_configs", []):
            asked |= {host: int(port) for host, _, port in (at.partition(":") for at in place["targets"])}
        for place in job.get("dns_sd_configs", []):
            asked |= dict.fromkeys(place["names"], place["port"])
    assert asked == ports
    assert set(asked) <= set(COMPOSE["services"])
    assert "ports" not in COMPOSE["services"]["worker"], "metrics of workers are for no other machine"


def test_prometheus_brings_a_token_where_one_is_needed() -> None:
    assert right_for("GET", "/metrics") is Right.WATCH
    (loop,) = [job for job in SCRAPES["scrape_configs"] if job["job_name"] == "labelloop-loop"]
    file = loop["authorization"]["credentials_file"]
    (secret,) = COMPOSE["services"]["prometheus"]["secrets"]
    assert file == f"/run/secrets/{secret}"
    kept_out = (TOP / ".gitignore").read_text().splitlines()
    assert str(Path("docker", COMPOSE["secrets"][secret]["file"])) in kept_out


def test_every_file_is_mounted_where_it_is_looked_for() -> None:
    def mounts(name: str) -> dict[str, str]:
        pairs = (volume.split(":")[:2] for volume in COMPOSE["services"][name]["volumes"])
        return {inside: outside for outside, inside in pairs}

    prometheus, grafana = mounts("prometheus"), mounts("grafana")
    assert set(SCRAPES["rule_files"]) <= set(prometheus)
    assert f"--config.file={next(iter(prometheus))}" in COMPOSE["services"]["prometheus"]["command"]
    folders = yaml.safe_load((DOCKER / "grafana" / "dashboards.yaml").read_text())["providers"]
    (folder,) = [provider["options"]["path"] for provider in folders]
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in grafana and str(Path(home).parent) == folder


def test_the_dashboard_reads_the_source_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((DOCKER / "grafana" / "datasource.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
