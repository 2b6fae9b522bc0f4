"""Every metric that a process may tell, with its meaning: the one list. Nothing else is exported.

Names follow Prometheus: base units at the end, counters end in `_total`. What begins with `labelloop_loop_`
is read from the database and is the same whoever tells it; all else is of one process and since its start, so
that it is added up over processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class MetricKind(StrEnum):
    """As Prometheus has them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class By(StrEnum):
    """Who tells a metric: a kind of process of itself, or `labelloop review` of the whole loop.

    EVERY: all kinds but `review`. ANY: the same, told by the library.
    """

    RUN = "run"
    LEARN = "learn"
    ANNOTATE = "annotate"
    LOOP = "loop"
    EVERY = "every"
    ANY = "any"


UNITS = ("seconds", "bytes", "ratio", "messages", "")

STAGE_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
TRAINING_BUCKETS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as it is exported. meaning: in one sentence.
        by: who tells it. labels: names, in the order in which values are given.
        unit: of `UNITS`, empty for numbers of things.
        buckets: upper bounds, of histograms.
    """

    name: str
    kind: MetricKind
    by: By
    meaning: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"{self.name}: {self.unit!r} is none of {', '.join(UNITS)}")
        if (self.kind is MetricKind.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters, and nothing else, end in _total")
        if not self.name.removesuffix("_total").endswith(self.unit):
            raise ValueError(f"{self.name}: does not end in its unit, {self.unit}")
        if (self.by is By.LOOP) != self.name.startswith("labelloop_loop_"):
            raise ValueError(f"{self.name}: metrics of the loop, and no others, begin with labelloop_loop_")


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure: a metric, the values of its labels in their order, and the number."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class Meter(Protocol):
    """Takes what one process counts. Any thread may call it; that costs microseconds: do so once a batch."""

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Count up by `amount`, 0 or more. KeyError for a metric that this process does not tell."""

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """The figure as it is now."""

    def forget(self, metric: Metric) -> None:
        """The figure is not known now: it is missing until it is set again."""

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """One more in a histogram."""


class Unmetered:
    """Nobody wants to know."""

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Forget it."""

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Forget it."""

    def forget(self, metric: Metric) -> None:
        """There is none."""

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Forget it."""


UNMETERED = Unmetered()

_known: list[Metric] = []


def _counter(name: str, by: By, meaning: str, *labels: str) -> Metric:
    return _add(Metric(name, MetricKind.COUNTER, by, meaning, labels))


def _gauge(name: str, by: By, meaning: str, *labels: str, unit: str = "") -> Metric:
    return _add(Metric(name, MetricKind.GAUGE, by, meaning, labels, unit))


def _seconds(name: str, by: By, meaning: str, *labels: str, buckets: tuple[float, ...]) -> Metric:
    return _add(Metric(name, MetricKind.HISTOGRAM, by, meaning, labels, "seconds", buckets))


def _add(metric: Metric) -> Metric:
    _known.append(metric)
    return metric


MESSAGES = _counter(
    "labelloop_messages_total", By.RUN, "Messages of topic `items` that were read, decided and saved."
)
ITEMS = _counter("labelloop_items_total", By.RUN, "New items among these messages.")
DUPLICATES = _counter(
    "labelloop_duplicates_total", By.RUN, "Messages that brought an item again as it was stored already."
)
DEAD_LETTERS = _counter(
    "labelloop_dead_letters_total", By.RUN, "Messages that can never be labeled, by reason.", "reason"
)
FUNCTION_FAILURES = _counter(
    "labelloop_function_failures_total",
    By.RUN,
    "Items on which a labeling function failed, and so abstained.",
    "function",
)
LABELS = _counter(
    "labelloop_labels_total",
    By.RUN,
    "Label revisions that were decided and handed to the outbox, by status.",
    "status",
)
SENT_MESSAGES = _counter(
    "labelloop_sent_messages_total", By.RUN, "Messages that Kafka took from the outbox, by topic.", "topic"
)
RECHECKED_ITEMS = _counter(
    "labelloop_rechecked_items_total",
    By.RUN,
    "Items that were decided again, because of an answer or of new models.",
)
TAKEN_BACK = _counter(
    "labelloop_taken_back_total", By.RUN, "Released labels that new models took back; each is audited again."
)
REMOVED_ITEMS = _counter(
    "labelloop_removed_items_total",
    By.RUN,
    "Items that were removed because they are older than `database.keep_days` and nothing rests on them.",
)
WINDOWS = _counter(
    "labelloop_windows_total", By.RUN, "Windows that this process has `frozen` or `closed`.", "step"
)
FENCES_LOST = _counter(
    "labelloop_fences_lost_total",
    By.RUN,
    "Batches given up because another worker had saved these positions.",
)
STAGE_SECONDS = _seconds(
    "labelloop_batch_stage_seconds",
    By.RUN,
    "Time that a batch spent in each stage.",
    "stage",
    buckets=STAGE_BUCKETS,
)
ENCODED_TEXTS = _counter(
    "labelloop_encoded_texts_total",
    By.RUN,
    "Texts that got their vector: `computed` by the encoder, from the `cache`, or as a `copy` of another in"
    " the same batch.",
    "source",
)
SPARED_ITEMS = _counter(
    "labelloop_spared_items_total",
    By.RUN,
    "Items that got no vector, since functions alone said enough of them (`encoding.skip_certified`).",
)
ENCODER_CACHE = _gauge(
    "labelloop_encoder_cache_bytes",
    By.RUN,
    "Memory that vectors of earlier texts take (`encoding.cache_megabytes` at most).",
    unit="bytes",
)
LAG = _gauge(
    "labelloop_lag_messages",
    By.RUN,
    "Messages after the last one read, in this worker's partitions; missing where the broker cannot tell.",
    unit="messages",
)
PARTITIONS = _gauge("labelloop_partitions", By.RUN, "Partitions of topic `items` that this worker reads.")
LAST_SAVED = _gauge(
    "labelloop_last_batch_timestamp_seconds",
    By.RUN,
    "When this worker last saved a batch, since 1970; missing before the first.",
    unit="seconds",
)

TRAININGS = _counter(
    "labelloop_trainings_total",
    By.LEARN,
    "Training runs: `promoted`, `kept` (not better), `lost` (the duty went to another learner) or `stopped`.",
    "outcome",
)
TRAINING_SECONDS = _seconds(
    "labelloop_training_seconds",
    By.LEARN,
    "Time from reading the rows to the end of a run, promoted or not.",
    buckets=TRAINING_BUCKETS,
)
REGISTRY_FAILURES = _counter(
    "labelloop_registry_failures_total", By.LEARN, "Times that MLflow could not be told something."
)

ANSWERED_QUESTIONS = _counter(
    "labelloop_questions_total",
    By.ANNOTATE,
    "Questions by outcome: answered, passed, failed (the call; asked again), late (answered by another),"
    " refused, repeated.",
    "tier",
    "outcome",
)
ASKING = _gauge(
    "labelloop_asking",
    By.ANNOTATE,
    "Questions that are being asked, or shown to people outside, now.",
    "tier",
)
PAID = _counter(
    "labelloop_paid_total",
    By.ANNOTATE,
    "Money that answered calls to language models took, in the configured currency.",
    "tier",
)
LAST_TOLD = _gauge(
    "labelloop_last_turn_timestamp_seconds",
    By.ANNOTATE,
    "When the loop of this tier last said how it goes, since 1970.",
    "tier",
    unit="seconds",
)

RESTING = _gauge(
    "labelloop_resting",
    By.ANNOTATE,
    "Whether the tier rests, since its endpoint, or the program in which its people answer, is out or busy: 1"
    " or 0.",
    "tier",
)

LOOP_ITEMS = _gauge("labelloop_loop_items", By.LOOP, "Items by state.", "state")
LOOP_LABELS = _gauge("labelloop_loop_labels", By.LOOP, "Published current labels by status.", "status")
CERTIFIED_SHARE = _gauge(
    "labelloop_loop_certified_ratio",
    By.LOOP,
    "Certified items among all items; missing while there is no item.",
    unit="ratio",
)
QUESTIONS = _gauge(
    "labelloop_loop_questions",
    By.LOOP,
    "Questions that wait, by tier and purpose: `open`, or `leased` by somebody who has it now.",
    "tier",
    "purpose",
    "state",
)
OLDEST_QUESTION = _gauge(
    "labelloop_loop_oldest_question_age_seconds",
    By.LOOP,
    "Age of the oldest open question; 0 if none is open.",
    "tier",
    "purpose",
    unit="seconds",
)
OPEN_WINDOWS = _gauge("labelloop_loop_open_windows", By.LOOP, "Windows whose audits are not all in.")
RANDOM_ANSWERS = _gauge(
    "labelloop_loop_random_answers", By.LOOP, "Standing answers to questions that chance alone drew."
)
ANSWERS = _gauge("labelloop_loop_answers", By.LOOP, "Standing answers.")
TARGET_ERROR = _gauge(
    "labelloop_loop_target_error_ratio",
    By.LOOP,
    "Share of wrong labels that is promised, as configured (`guarantee.target_error`).",
    unit="ratio",
)
LEDGER_BOUND = _gauge(
    "labelloop_loop_ledger_error_bound_ratio",
    By.LOOP,
    "At most this share of all labels released is wrong, by the ledger; missing before its first audits.",
    unit="ratio",
)
LEDGER_TELLING = _gauge(
    "labelloop_loop_ledger_telling",
    By.LOOP,
    "Whether enough was released to hold the ledger's bound against the target: 1 or 0.",
)
RELEASED = _gauge("labelloop_loop_ledger_released", By.LOOP, "Labels released, as the ledger counts them.")
SUSPENDED = _gauge(
    "labelloop_loop_acceptance_suspended", By.LOOP, "Whether the ledger forbids to release anything: 1 or 0."
)
SPENT = _gauge(
    "labelloop_loop_spent", By.LOOP, "Money spent in all, in the configured currency.", "tier", "currency"
)
SPENT_TODAY = _gauge(
    "labelloop_loop_spent_today",
    By.LOOP,
    "Money of the day (UTC): `spent`, or `reserved` for what is under way.",
    "tier",
    "currency",
    "part",
)
ALLOWANCE = _gauge(
    "labelloop_loop_allowance_today",
    By.LOOP,
    "Budget of the day; missing for tiers without a limit.",
    "tier",
    "currency",
)
OUT_OF_MONEY = _gauge(
    "labelloop_loop_out_of_money",
    By.LOOP,
    "Whether nobody of the tier is asked for want of money: 1 or 0.",
    "tier",
)
PEOPLE_PAUSED = _gauge("labelloop_loop_people_paused", By.LOOP, "People who are paused.", "tier")
BUNDLE = _gauge(
    "labelloop_loop_bundle_info",
    By.LOOP,
    "Always 1; the labels name the models in use. Missing before the first.",
    "bundle",
    "mlflow_version",
)
BUNDLE_TRAINED = _gauge(
    "labelloop_loop_bundle_trained_timestamp_seconds",
    By.LOOP,
    "When the models in use were trained, since 1970.",
    unit="seconds",
)
LAST_TRAINING = _gauge(
    "labelloop_loop_last_training_timestamp_seconds",
    By.LOOP,
    "When a training run last ended, promoted or not, since 1970.",
    unit="seconds",
)
DRIFT_ALARMS = _gauge("labelloop_loop_drift_alarms", By.LOOP, "Open drift alarms by signal.", "signal")
OUTBOX = _gauge("labelloop_loop_outbox_rows", By.LOOP, "Transactions whose messages wait to be published.")
RECHECKS = _gauge("labelloop_loop_rechecks", By.LOOP, "Items that are due to be decided again.")
LOOP_LAG = _gauge(
    "labelloop_loop_lag_messages",
    By.LOOP,
    "Messages that workers have not read, as they last said; missing where the broker cannot tell.",
    unit="messages",
)
LOOP_DEAD_LETTERS = _gauge(
    "labelloop_loop_dead_letters", By.LOOP, "Messages that could never be labeled, by reason.", "reason"
)
LOOP_FAILURES = _gauge(
    "labelloop_loop_function_failures", By.LOOP, "Items on which a labeling function failed.", "function"
)
PROCESSES = _gauge(
    "labelloop_loop_processes", By.LOOP, "Processes that said within 15 s that they live, by kind.", "process"
)
WEBHOOK_EVENTS = _gauge(
    "labelloop_loop_webhook_events",
    By.LOOP,
    "Events that were not delivered: `waiting` for another try, or given up (`dead`).",
    "webhook",
    "state",
)

MISSING = _gauge(
    "labelloop_missing",
    By.EVERY,
    "Whether something that the process needs is missing, by the name that it has in `/readyz`: 1 or 0.",
    "need",
)

PROCESS_CPU = _counter("process_cpu_seconds_total", By.ANY, "Processor time of this process.")
PROCESS_MEMORY = _gauge(
    "process_resident_memory_bytes", By.ANY, "Memory that this process holds.", unit="bytes"
)
PROCESS_VIRTUAL = _gauge("process_virtual_memory_bytes", By.ANY, "Address space in use.", unit="bytes")
PROCESS_START = _gauge(
    "process_start_time_seconds", By.ANY, "When this process started, since 1970.", unit="seconds"
)
PROCESS_FILES = _gauge("process_open_fds", By.ANY, "Files and sockets that this process has open.")
PROCESS_MOST_FILES = _gauge("process_max_fds", By.ANY, "Files and sockets that it may open.")

METRICS: tuple[Metric, ...] = tuple(_known)
"""All of them, in the order of the documentation."""


def told_by(by: By) -> Sequence[Metric]:
    """What a process counts of itself, or what is told of the loop."""
    return [metric for metric in METRICS if metric.by is by]
