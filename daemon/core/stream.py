"""The stream worker's loop: a batch, its outcome and the positions are one transaction."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from daemon.core import metrics
from daemon.core.batch_size import BatchSize
from daemon.core.bundles import BundleFollower
from daemon.core.errors import FenceLost, ItemsRaced, SetupProblem
from daemon.core.labels_out import meter_labels
from daemon.core.metrics import UNMETERED, Meter
from daemon.core.pipeline import Labeled, Pipeline
from daemon.core.ports import Source, StreamStore
from daemon.core.wire import Batch

log = logging.getLogger(__name__)

WATCHED_MESSAGES = 1_000
"""The dead-letter limit looks at the share among so many last messages,"""
FEWEST_MESSAGES = 100
"""and says nothing before so many were read."""
LAG_SECONDS = 2.0
KEEP_ALIVE_SECONDS, MOST_KEEP_ALIVE_SECONDS = 0.02, 0.32
"""Between looks at the broker while a batch is worked on, at first and at most: the next one is read
meanwhile. Each look takes from the processor, which a slow batch, as that of an encoder, needs for itself."""


class DeadLetterLimit(SetupProblem):
    """Too many messages can never succeed: a wrong producer, or a wrong setting here."""


@dataclass
class Progress:
    """What the worker has done since it started; read by other threads for reports.

    `begun`: when the batch at hand was begun; `behind`: since when messages wait and no batch was saved. Both
    are None if that is not so, and else by `time.monotonic`.
    """

    messages: int = 0
    items: int = 0
    dead_letters: int = 0
    duplicates: int = 0
    lag: int | None = None
    begun: float | None = None
    behind: float | None = None

    def late(self, seconds: float) -> str:
        """What is the matter if nothing was saved for so long though there is work; else empty."""
        now = time.monotonic()
        if (begun := self.begun) is not None and now - begun > seconds:
            return f"the batch at hand is not saved after {now - begun:.0f} s"
        if (behind := self.behind) is not None and now - behind > seconds:
            return f"messages wait, and no batch was saved for {now - behind:.0f} s"
        return ""


@dataclass
class StreamWorker:
    """Labels batches until asked to stop.

    A batch is labeled in a thread of its own while this one keeps the group membership alive, so that a
    slow encoder or function never costs the partitions.
    """

    source: Source
    pipeline: Pipeline
    store: StreamStore
    bundles: BundleFollower
    stop: threading.Event
    dead_letter_limit: float
    saved: Callable[[], None]
    size: BatchSize
    progress: Progress = field(default_factory=Progress)
    meter: Meter = UNMETERED
    _recent: deque[bool] = field(default_factory=lambda: deque(maxlen=WATCHED_MESSAGES))
    _lag_measured: float = 0.0

    def run(self) -> None:
        """Label batches until `stop` is set; the batch at hand is finished first."""
        with ThreadPoolExecutor(1, thread_name_prefix="label") as hands:
            while not self.stop.is_set():
                self.source.at_most(self.size.items)
                batch = self.source.poll()
                if batch.records:
                    self._finish(batch, hands.submit(self._label_and_save, batch))
                self._measure_lag()

    def _measure_lag(self) -> None:
        now = time.monotonic()
        if now - self._lag_measured >= LAG_SECONDS:
            self._lag_measured = now
            self._behind(self.source.lag())

    def _behind(self, lag: int | None) -> None:
        progress = self.progress
        progress.lag = lag
        progress.behind = (progress.behind or time.monotonic()) if lag else None
        if lag is None:
            self.meter.forget(metrics.LAG)
        else:
            self.meter.set(metrics.LAG, lag)
        self.meter.set(metrics.PARTITIONS, self.source.standing().placed)

    def _finish(self, batch: Batch, work: Future[Labeled]) -> None:
        self.progress.begun = time.monotonic()
        self.source.keep_alive()
        pause = KEEP_ALIVE_SECONDS
        while not wait([work], pause).done:
            self.source.keep_alive()
            pause = min(2 * pause, MOST_KEEP_ALIVE_SECONDS)
        self.progress.begun = None
        try:
            labeled = work.result()
        except FenceLost:
            self.meter.add(metrics.FENCES_LOST, 1)
            log.warning("another worker has been here; reading again", extra={"action": "fence_lost"})
            self.source.rewind()
            return
        self.source.saved(batch.spans)
        self._count(batch, labeled)
        self.saved()

    def _label_and_save(self, batch: Batch) -> Labeled:
        while True:
            current = self.bundles.current()
            since = time.perf_counter()
            labeled = self.pipeline.label(batch, current)
            self.size.took(len(batch.records), time.perf_counter() - since, self.progress.lag or 0)
            self._check_limit(batch, labeled.rejected)
            since = time.perf_counter()
            try:
                self.store.save_batch(
                    batch.spans, labeled.arrivals, labeled.decision, labeled.compose, labeled.counts
                )
            except ItemsRaced:
                log.info("another worker stored some of these items", extra={"action": "items_raced"})
            else:
                since = self.pipeline.took("save", since)
                self.pipeline.watch(labeled, current)
                self.pipeline.took("drift", since)
                return labeled

    def _check_limit(self, batch: Batch, rejected: Sequence[object]) -> None:
        good = len(batch.records) - len(rejected)
        recent = deque(self._recent, WATCHED_MESSAGES)
        recent.extend([False] * good + [True] * len(rejected))
        if len(recent) >= FEWEST_MESSAGES and sum(recent) > self.dead_letter_limit * len(recent):
            reasons = sorted({getattr(one, "reason", "?") for one in rejected})
            raise DeadLetterLimit(
                f"{sum(recent)} of the last {len(recent)} messages can never be labeled "
                f"({', '.join(reasons)}); the limit is {self.dead_letter_limit:.0%} "
                "(stream.dead_letter_limit). This batch was not taken: mend the producer or the limit, "
                "then start again."
            )

    def _count(self, batch: Batch, labeled: Labeled) -> None:
        items = 0 if labeled.arrivals is None else len(labeled.arrivals.ids)
        dead = len(labeled.rejected)
        duplicates = len(batch.records) - items - dead
        self._recent.extend([False] * (len(batch.records) - dead) + [True] * dead)
        self.progress.messages += len(batch.records)
        self.progress.items += items
        self.progress.dead_letters += dead
        self.progress.duplicates += duplicates
        self.progress.behind = None
        self._meter_batch(len(batch.records), items, duplicates, labeled)

    def _meter_batch(self, messages: int, items: int, duplicates: int, labeled: Labeled) -> None:
        meter = self.meter
        meter.add(metrics.MESSAGES, messages)
        meter.add(metrics.ITEMS, items)
        meter.add(metrics.DUPLICATES, duplicates)
        meter.set(metrics.LAST_SAVED, time.time())
        for reason, count in Counter(one.reason for one in labeled.rejected).items():
            meter.add(metrics.DEAD_LETTERS, count, reason)
        for function, count in labeled.failures.items():
            meter.add(metrics.FUNCTION_FAILURES, count, function)
        if labeled.decision is not None:
            meter_labels(meter, labeled.decision)
