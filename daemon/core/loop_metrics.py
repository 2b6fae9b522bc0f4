"""The state of the loop as metrics, from the same look at the database as the dashboard."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from daemon.core import metrics as m
from daemon.core.ledger import is_suspended, standing
from daemon.core.metrics import Metric, Sample
from daemon.core.report_rows import Overview, ProcessReport
from daemon.core.settings import MICROS, GuaranteeSettings
from daemon.core.states import ItemState

STALE_SECONDS = 15.0
"""A process that said nothing for so long is taken for dead."""


def loop_samples(overview: Overview, promise: GuaranteeSettings, currency: str) -> list[Sample]:
    """Every metric of the loop that has a value now."""
    return [
        *_items(overview),
        *_questions(overview),
        *_guarantee(overview, promise),
        *_money(overview, currency),
        *_models(overview),
        *_work(overview),
    ]


def lag(processes: Sequence[ProcessReport]) -> int | None:
    """Messages that living workers have not read, together; None where nobody knows."""
    told = [one.report.get("lag") for one in processes if one.kind == "run" and one.age <= STALE_SECONDS]
    known = [count for count in told if isinstance(count, int)]
    return sum(known) if known else None


def _each(metric: Metric, found: Mapping[str, int]) -> Iterator[Sample]:
    for name, count in found.items():
        yield Sample(metric, count, (str(name),))


def _items(overview: Overview) -> Iterator[Sample]:
    yield from _each(m.LOOP_ITEMS, {state.value: overview.states.get(state.value, 0) for state in ItemState})
    yield from _each(m.LOOP_LABELS, overview.statuses)
    total = sum(overview.states.values())
    if total:
        yield Sample(m.CERTIFIED_SHARE, overview.states.get(ItemState.CERTIFIED.value, 0) / total)


def _questions(overview: Overview) -> Iterator[Sample]:
    for queue in overview.queues:
        place = queue.tier, queue.purpose.value
        yield Sample(m.QUESTIONS, queue.open, (*place, "open"))
        yield Sample(m.QUESTIONS, queue.leased, (*place, "leased"))
        yield Sample(m.OLDEST_QUESTION, queue.oldest_age, place)
    yield Sample(m.ANSWERS, overview.answers)
    yield Sample(m.RANDOM_ANSWERS, overview.gold)
    yield from _each(m.PEOPLE_PAUSED, overview.paused)


def _guarantee(overview: Overview, promise: GuaranteeSettings) -> Iterator[Sample]:
    yield Sample(m.OPEN_WINDOWS, overview.open_windows)
    yield Sample(m.TARGET_ERROR, promise.target_error)
    yield Sample(m.RELEASED, overview.ledger.released)
    yield Sample(m.SUSPENDED, is_suspended(overview.ledger, promise))
    ledger = standing(overview.ledger, promise)
    if ledger is not None:
        yield Sample(m.LEDGER_BOUND, ledger.share)
        yield Sample(m.LEDGER_TELLING, ledger.telling)


def _money(overview: Overview, currency: str) -> Iterator[Sample]:
    for tier in overview.spending:
        place = tier.tier, currency
        yield Sample(m.SPENT, tier.spent / MICROS, place)
        yield Sample(m.SPENT_TODAY, tier.today_spent / MICROS, (*place, "spent"))
        yield Sample(m.SPENT_TODAY, tier.today_reserved / MICROS, (*place, "reserved"))
        if tier.today_cap is not None:
            yield Sample(m.ALLOWANCE, tier.today_cap / MICROS, place)
        yield Sample(m.OUT_OF_MONEY, tier.reached, (tier.tier,))


def _models(overview: Overview) -> Iterator[Sample]:
    if overview.bundle is not None:
        bundle = overview.bundle
        yield Sample(m.BUNDLE, 1, (str(bundle.id), bundle.mlflow_version or ""))
        yield Sample(m.BUNDLE_TRAINED, bundle.trained_at / 1_000)
    if overview.last_training is not None:
        yield Sample(m.LAST_TRAINING, overview.last_training / 1_000)
    yield from _each(
        m.DRIFT_ALARMS, Counter(alarm.signal for alarm in overview.alarms if alarm.ended_at is None)
    )


def _work(overview: Overview) -> Iterator[Sample]:
    yield Sample(m.OUTBOX, overview.outbox)
    yield Sample(m.RECHECKS, overview.rechecks)
    behind = lag(overview.processes)
    if behind is not None:
        yield Sample(m.LOOP_LAG, behind)
    yield from _each(m.LOOP_DEAD_LETTERS, overview.dead_letters)
    yield from _each(m.LOOP_FAILURES, overview.function_failures)
    living = Counter(one.kind for one in overview.processes if one.age <= STALE_SECONDS)
    yield from _each(m.PROCESSES, {**dict.fromkeys(("run", "learn"), 0), **living})
    for webhook, states in overview.webhooks.items():
        for state, count in states.items():
            yield Sample(m.WEBHOOK_EVENTS, count, (webhook, state))
