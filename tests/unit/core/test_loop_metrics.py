"""The state of the loop as metrics."""

from dataclasses import replace

from daemon.core import metrics as m
from daemon.core.alarm_rows import AlarmRecord
from daemon.core.learning_rows import StoredBundle
from daemon.core.loop_metrics import lag, loop_samples
from daemon.core.metrics import By, Metric, told_by
from daemon.core.report_rows import NOTHING_YET, Overview, ProcessReport, QueueDepth, Spending
from daemon.core.settings import GuaranteeSettings
from daemon.core.states import Purpose
from daemon.core.window_rows import LedgerRecord

PROMISE = GuaranteeSettings(target_error=0.05, confidence=0.9)


def _alarm(id_: int, signal: str, ended_at: int | None) -> AlarmRecord:
    return AlarmRecord(id_, 1, 1, 1, 1, signal, "", 1.0, 1, ended_at, None)


FULL = replace(
    NOTHING_YET,
    states={"asking": 30, "certified": 60, "human": 10},
    statuses={"certified": 60, "provisional": 30},
    queues=[QueueDepth("crowd", Purpose.SETTLE, open=7, leased=2, answered=5, oldest_age=12.5)],
    spending=[
        Spending("crowd", 5, 2_500_000, 1.0, 4_000_000, 500_000, 1_500_000),
        Spending("expert", 5, 9_000_000, 1.0, None, 0, 9_000_000),
    ],
    dead_letters={"not_json": 3},
    function_failures={"spam_words": 2},
    processes=[
        ProcessReport("run-a", "run", 1.0, {"lag": 40}),
        ProcessReport("run-b", "run", 2.0, {"lag": 2}),
        ProcessReport("run-c", "run", 600.0, {"lag": 9_999}),
    ],
    bundle=StoredBundle(7, "digest", b"", 1_700_000_000_500, "run", "3"),
    ledger=LedgerRecord(released=100_000, audited=1_000, found=1, p=0.01),
    paused={"crowd": 2},
    last_training=1_700_000_100_000,
    alarms=[_alarm(3, "agreement", None), _alarm(2, "agreement", None), _alarm(1, "distance", 5)],
    webhooks={"shop": {"waiting": 4, "dead": 1}},
)


def _told(overview: Overview) -> dict[tuple[str, ...], float]:
    return {(one.metric.name, *one.labels): one.value for one in loop_samples(overview, PROMISE, "EUR")}


def _value(metric: Metric, *labels: str) -> float:
    return _told(FULL)[metric.name, *labels]


def test_every_metric_of_the_loop_is_told_once_all_is_known() -> None:
    told = {one.metric for one in loop_samples(FULL, PROMISE, "EUR")}
    assert told == set(told_by(By.LOOP))


def test_every_sample_has_as_many_label_values_as_its_metric_has_labels() -> None:
    for sample in loop_samples(FULL, PROMISE, "EUR"):
        assert len(sample.labels) == len(sample.metric.labels), sample.metric.name


def test_figures_come_in_base_units() -> None:
    assert _value(m.LOOP_ITEMS, "asking") == 30
    assert _value(m.LOOP_ITEMS, "ready") == 0
    assert _value(m.CERTIFIED_SHARE) == 0.6
    assert _value(m.QUESTIONS, "crowd", "settle", "open") == 7
    assert _value(m.OLDEST_QUESTION, "crowd", "settle") == 12.5
    assert _value(m.SPENT_TODAY, "crowd", "EUR", "spent") == 1.5
    assert _value(m.ALLOWANCE, "crowd", "EUR") == 4.0
    assert _value(m.BUNDLE_TRAINED) == 1_700_000_000.5
    assert _value(m.LAST_TRAINING) == 1_700_000_100
    assert _value(m.BUNDLE, "7", "3") == 1
    assert _value(m.PEOPLE_PAUSED, "crowd") == 2
    assert _value(m.WEBHOOK_EVENTS, "shop", "dead") == 1


def test_a_tier_without_a_limit_has_no_allowance() -> None:
    assert (m.ALLOWANCE.name, "expert", "EUR") not in _told(FULL)


def test_only_open_alarms_and_living_processes_count() -> None:
    assert _value(m.DRIFT_ALARMS, "agreement") == 2
    assert (m.DRIFT_ALARMS.name, "distance") not in _told(FULL)
    assert (_value(m.PROCESSES, "run"), _value(m.PROCESSES, "learn")) == (2, 0)
    assert _value(m.LOOP_LAG) == 42


def test_what_is_not_known_is_missing_and_not_zero() -> None:
    told = _told(NOTHING_YET)
    for metric in (m.CERTIFIED_SHARE, m.LEDGER_BOUND, m.LAST_TRAINING, m.LOOP_LAG, m.BUNDLE_TRAINED):
        assert (metric.name,) not in told


def test_a_worker_that_cannot_tell_its_lag_is_left_out() -> None:
    assert lag([ProcessReport("run-a", "run", 1.0, {"lag": None})]) is None


def test_the_ledger_that_finds_too_much_suspends() -> None:
    bad = replace(FULL, ledger=replace(FULL.ledger, found=300))
    assert _told(bad)[m.SUSPENDED.name,] == 1
    assert _value(m.SUSPENDED) == 0
    assert 0 < _value(m.LEDGER_BOUND) < 1
