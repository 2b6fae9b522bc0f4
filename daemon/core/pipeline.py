"""From a batch of records to what is saved: decode, ask the functions, encode, decide."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from daemon.core.bundles import Current
from daemon.core.decide import decide, draw_gold
from daemon.core.decoding import Arrival, Rejected, decode
from daemon.core.first_look import Encoder, evidence_on, vectors_of
from daemon.core.market import MarketWatch
from daemon.core.messages import Voter, composer, dead_letter
from daemon.core.metrics import SPARED_ITEMS, STAGE_SECONDS, UNMETERED, Meter
from daemon.core.policy import Outputs, Policy
from daemon.core.ports import StreamStore
from daemon.core.raising import lots_for
from daemon.core.rows import F4, I1, Arrivals, Compose, Decision
from daemon.core.settings import StreamSettings
from daemon.core.sparing import Sparing
from daemon.core.wire import Batch, Record, Span
from labeling_functions.applier import Applied, Applier
from labeling_functions.items import Item

log = logging.getLogger(__name__)

STAGES = ("decode", "functions", "encoder", "decide", "save", "drift")
"""Where the time goes; all there from the start, since another thread reads them for reports."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The functions that stand in the columns of the inline votes."""

    set_id: int
    names: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Labeled:
    """A batch ready to be saved in one transaction."""

    arrivals: Arrivals | None
    decision: Decision | None
    compose: Compose
    counts: Mapping[str, int]
    rejected: Sequence[Rejected]
    failures: Mapping[str, int] = field(default_factory=dict)
    """Labeling function -> items on which it failed."""


@dataclass
class Pipeline:
    """Labels batches; holds no state but what it is made of.

    Attributes:
        gold_wanted: how many more random blind questions are wanted before the first window.
        random: n -> n uniform numbers.
        accepted_from: as `decide` wants it.
        sparing: which items need no vector; None encodes all.
        watch: told of each batch that is saved, with the bundle that it was decided by.
        seconds: time spent by stage, added up; for reports.
        told: functions whose failure was logged.
    """

    store: StreamStore
    applier: Applier
    columns: Columns
    encoder: Encoder | None
    policy: Policy
    market: MarketWatch
    outputs: Outputs
    settings: StreamSettings
    gold_wanted: Callable[[], int]
    random: Callable[[int], NDArray[np.float64]]
    accepted_from: Callable[[], float | None] = lambda: None
    sparing: Sparing | None = None
    watch: Callable[[Labeled, Current], None] = lambda _labeled, _current: None
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    told: set[str] = field(default_factory=set)
    meter: Meter = UNMETERED

    def label(self, batch: Batch, current: Current) -> Labeled:
        """Everything that a batch leads to, unsaved. Reads the store to leave out what is known."""
        since = time.perf_counter()
        arrivals, rejected = self._sort_out(batch.records)
        since = self.took("decode", since)
        if not arrivals:
            return self._only_dead(rejected)
        items = [arrival.item for arrival in arrivals]
        applied = self.applier.apply(items)
        self._tell(applied)
        since = self.took("functions", since)
        vectors = vectors_of(items, self.encoder, self._spared(items, applied.L, current))
        since = self.took("encoder", since)
        decision = self._decide(items, applied.L, vectors, current)
        rows = self._rows(arrivals, applied.L, vectors, batch.spans)
        inline = applied.L.tolist()
        compose = composer(
            decision,
            lambda row: Voter(rows.ids[row], rows.payloads[row], 0, self.columns.names, inline[row]),
            self.policy,
            self.outputs,
            dead=[dead_letter(one, self.outputs) for one in rejected],
        )
        self.took("decide", since)
        return Labeled(rows, decision, compose, _counts(rejected, applied), rejected, applied.failures)

    def _sort_out(self, records: Sequence[Record]) -> tuple[list[Arrival], list[Rejected]]:
        """New items once each; what can never succeed; repeated items are left out."""
        decoded = [decode(record, self.settings.max_message_bytes, self.policy.kind) for record in records]
        rejected = [one for one in decoded if isinstance(one, Rejected)]
        arrived = [one for one in decoded if isinstance(one, Arrival)]
        known = self.store.digests([one.item.id for one in arrived]) if arrived else {}
        fresh: list[Arrival] = []
        for arrival in arrived:
            before = known.get(arrival.item.id)
            if before is None:
                known[arrival.item.id] = arrival.digest
                fresh.append(arrival)
            elif before != arrival.digest:
                detail = f"item {arrival.item.id!r} came before with other content; the first stays"
                rejected.append(Rejected(arrival.record, "id_conflict", detail))
        return fresh, rejected

    def _tell(self, applied: Applied) -> None:
        """Say what is wrong with a function the first time; how often it happens is counted."""
        for name, message in applied.messages.items():
            if name not in self.told:
                self.told.add(name)
                log.warning(
                    "labeling function %s abstains: %s", name, message, extra={"action": "function_failed"}
                )
        for name, seconds in applied.slow.items():
            log.warning(
                "labeling function %s took %.1f s on one batch",
                name,
                seconds,
                extra={"action": "function_slow"},
            )

    def _spared(self, items: Sequence[Item], inline: I1, current: Current) -> NDArray[np.bool_] | None:
        """(n,) items that go without a vector; None where all get one."""
        if self.sparing is None or self.encoder is None:
            return None
        keys, bundle, n_tiers = self.columns.keys, current.bundle, len(self.policy.ladder)
        spared = self.sparing.spared(
            [item.id for item in items],
            lambda: evidence_on(items, inline, keys, None, None, bundle, n_tiers),
        )
        self.meter.add(SPARED_ITEMS, int(spared.sum()))
        return spared

    def _decide(self, items: Sequence[Item], inline: I1, vectors: F4 | None, current: Current) -> Decision:
        n_tiers = len(self.policy.ladder)
        evidence = evidence_on(
            items, inline, self.columns.keys, vectors, self.encoder, current.bundle, n_tiers
        )
        evidence = replace(evidence, lot=lots_for([item.id for item in items], self.policy.tiers))
        share = self.policy.guarantee.cold_start_share
        draws = draw_gold(len(inline), self.gold_wanted(), share, self.random)
        market = self.market.under(current.bundle)
        return decide(evidence, self.policy, current.id, market, draws, self.accepted_from())

    def _rows(
        self, arrivals: Sequence[Arrival], inline: I1, vectors: F4 | None, spans: Sequence[Span]
    ) -> Arrivals:
        topic_ids = {(span.topic, span.partition): span.topic_id for span in spans}
        return Arrivals(
            ids=[a.item.id for a in arrivals],
            payloads=[a.record.value or b"" for a in arrivals],
            digests=[a.digest for a in arrivals],
            subjects=[a.item.subject for a in arrivals],
            topic_ids=[topic_ids[a.record.topic, a.record.partition] for a in arrivals],
            partitions=[a.record.partition for a in arrivals],
            offsets=[a.record.offset for a in arrivals],
            functions=self.columns.set_id,
            inline=inline,
            vectors=None if vectors is None else vectors.astype(np.float16),
            encoder=None if self.encoder is None else self.encoder.name,
        )

    def _only_dead(self, rejected: Sequence[Rejected]) -> Labeled:
        dead = [dead_letter(one, self.outputs) for one in rejected]
        return Labeled(None, None, lambda _asked: dead, _counts(rejected, None), rejected)

    def took(self, stage: str, since: float) -> float:
        """Count the time since `since` to a stage; the time now."""
        now = time.perf_counter()
        self.seconds[stage] += now - since
        self.meter.observe(STAGE_SECONDS, now - since, stage)
        return now


def _counts(rejected: Sequence[Rejected], applied: Applied | None) -> dict[str, int]:
    counts = Counter(f"dead_letter:{one.reason}" for one in rejected)
    if applied is not None:
        counts.update({f"function_failure:{name}": n for name, n in applied.failures.items()})
    return dict(counts)
