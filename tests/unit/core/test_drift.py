"""The watch feeds the right things to the right monitor; what open alarms ask for."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest

from daemon.core.alarm_rows import CALM, AlarmRecord, DriftStanding
from daemon.core.bundles import Current
from daemon.core.drift import DriftState, DriftWatch, alarm_state, audit_share, gold_wanted
from daemon.core.ledger import AcceptedFrom
from daemon.core.pipeline import Labeled
from daemon.core.policy import Policy
from daemon.core.ports import AlarmStore, WindowStore
from daemon.core.rows import Arrivals, Decision
from daemon.core.settings import DriftSettings, GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.sparing import sampled
from daemon.core.window_rows import NOTHING_RELEASED, LedgerRecord, WindowRecord
from models.bundle import Bundle
from models.drift.alarm import Alarm
from models.drift.reference import Reference

KEYS = ("function:a@1", "function:b@1")
D = 8
SETTINGS = DriftSettings(gold=40, audit_factor=3.0)
POLICY = Policy(
    ("ham", "spam"),
    {"expert": TierSettings(final=True)},
    GuaranteeSettings(audit_share=0.2),
    RoutingSettings(),
    SETTINGS,
)


@dataclass
class Alarms:
    """Keeps what it is told; `now` is its standing."""

    now: DriftStanding = CALM
    told: list[tuple[int, str]] = field(default_factory=list)

    def raise_alarms(self, process: str, bundle: int, raised: list[Alarm]) -> list[Alarm]:
        self.told += [(bundle, alarm.signal) for alarm in raised]
        return raised

    def standing(self) -> DriftStanding:
        return self.now


@dataclass
class Windows:
    """Closed windows, newest first, open ones, and how many gold questions were drawn."""

    closed: list[WindowRecord] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    ever: int = 0
    fresh: int = 0
    tau: float | None = None

    def closed_windows(self, limit: int) -> list[WindowRecord]:
        return self.closed[:limit]

    def open_windows(self) -> list[int]:
        return self.opened

    def gold_drawn(self, since: int | None = None) -> int:
        return self.ever if since is None else self.fresh

    def last_threshold(self, since: int | None = None) -> float | None:
        return self.tau if since is None else None

    def ledger(self) -> LedgerRecord:
        return NOTHING_RELEASED


def watch_of(
    alarms: Alarms, windows: Windows, settings: DriftSettings = SETTINGS, spares: bool = False
) -> DriftWatch:
    return DriftWatch(
        cast(AlarmStore, alarms), cast(WindowStore, windows), settings, "me", KEYS, Ticks(10.0), spares
    )


@dataclass
class Ticks:
    """A clock that goes on by `step` whenever it is looked at."""

    step: float
    now: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def vectors_of(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    raw = np.random.default_rng(seed).normal(0, 0.2, (n, D))
    raw[:, 0] += 1
    raw[:, 1] += shift
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def votes_of(n: int, seed: int, speaks: float = 0.4) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random((n, 2)) < speaks, random.integers(0, 2, (n, 2)), -1).astype(np.int8)


def current(id_: int = 1, **changes: Any) -> Current:
    reference = Reference.of(vectors_of(2_000, 1), votes_of(2_000, 1), KEYS, 2)
    priors = Bundle.from_priors(("ham", "spam"), {"expert": 0.98})
    return Current(id_, replace(priors, **{"encoder": "mini", "reference": reference, **changes}))


def labeled(
    n: int,
    seed: int,
    shift: float = 0.0,
    encoder: str = "mini",
    classifier: np.ndarray | None = None,
    **votes: float,
) -> Labeled:
    arrivals = Arrivals(
        [f"{seed}-{row}" for row in range(n)],
        *([[]] * 6),
        functions=1,
        inline=votes_of(n, seed, **votes),
        vectors=vectors_of(n, seed, shift).astype(np.float16),
        encoder=encoder,
    )
    empty = np.empty(0)
    decision = Decision(empty, empty, empty, classifier, 1, [], empty, [], empty)  # type: ignore[arg-type]
    return Labeled(arrivals, decision, lambda _: [], {}, [])


def record(id_: int, wrong: list[bool], frozen_at: int = 0) -> WindowRecord:
    scores = np.full(len(wrong), 0.9, np.float32)
    return WindowRecord(id_, 100, 0.1, 0.05, 0.1, 0.9, 80, scores, np.array(wrong), 0, frozen_at)


def test_another_kind_of_text_is_told_with_its_bundle() -> None:
    alarms = Alarms()
    watch = watch_of(alarms, Windows())
    for seed in range(2, 10):
        watch.saved(labeled(256, seed), current())
    assert alarms.told == []
    watch.saved(labeled(256, 20, shift=1.0), current())
    assert alarms.told == [(1, "distance")]


def speaking() -> Reference:
    """Of items that the functions always speak of."""
    return Reference.of(vectors_of(2_000, 1), votes_of(2_000, 1, 1.0), KEYS, 2)


def classified(seed: int, spared: bool, shift: float = 0.0) -> Labeled:
    """A batch on one side of which the classifier says what a function says, and the contrary on the other.

    Where it agrees, items are encoded only if they are of the sample, if told so.
    """
    batch = labeled(256, seed, shift, speaks=1.0)
    assert batch.arrivals is not None
    assert batch.arrivals.vectors is not None
    vectors, said = batch.arrivals.vectors.copy(), batch.arrivals.inline[:, 0].astype(int)
    agrees = vectors[:, 2] > 0
    proba = np.eye(2, dtype=np.float32)[np.where(agrees, said, 1 - said)]
    left_out = spared & agrees & ~sampled(batch.arrivals.ids)
    vectors[left_out], proba[left_out] = np.nan, np.nan
    assert batch.decision is not None
    return replace(
        batch,
        arrivals=replace(batch.arrivals, vectors=vectors),
        decision=replace(batch.decision, classifier=proba),
    )


def test_vectors_that_are_no_longer_computed_are_no_drift() -> None:
    """Which items are encoded changes with every window; the sample that always is stays what it was."""
    alarms = Alarms()
    watch = watch_of(alarms, Windows(), spares=True)
    for seed in range(2, 22):
        watch.saved(classified(seed, spared=seed >= 12), current(reference=speaking()))
    assert alarms.told == []


def test_another_kind_of_text_shows_in_the_sample() -> None:
    alarms = Alarms()
    watch = watch_of(alarms, Windows(), spares=True)
    for seed in range(2, 22):
        watch.saved(classified(seed, True, 1.0 if seed >= 12 else 0.0), current(reference=speaking()))
    assert {signal for _, signal in alarms.told} == {"distance"}


def test_vectors_of_another_encoder_are_left_out() -> None:
    alarms = Alarms()
    watch = watch_of(alarms, Windows())
    watch.saved(labeled(512, 20, shift=1.0, encoder="other"), current())
    watch.saved(labeled(512, 21, speaks=0.05), current())
    assert {signal for _, signal in alarms.told} == {"symbols"}


def test_a_classifier_that_begins_to_disagree_is_told() -> None:
    alarms = Alarms()
    watch = watch_of(alarms, Windows())
    for seed in range(2, 8):
        batch = labeled(256, seed, speaks=1.0)
        assert batch.arrivals is not None
        said = batch.arrivals.inline[:, 0] if seed < 5 else 1 - batch.arrivals.inline[:, 0]
        proba = np.eye(2)[said.astype(int)]
        watch.saved(
            replace(batch, decision=replace(batch.decision, classifier=proba)),
            current(reference=Reference.from_arrays({})),
        )  # type: ignore[type-var]
    assert alarms.told[0] == (1, "agreement")


def test_a_new_bundle_brings_a_fresh_monitor_and_no_bundle_none() -> None:
    alarms = Alarms()
    watch = watch_of(alarms, Windows())
    priors = Bundle.from_priors(("ham", "spam"), {"expert": 0.98})
    watch.saved(labeled(512, 20, shift=1.0), Current(None, priors))
    watch.saved(Labeled(None, None, lambda _: [], {}, []), current())
    assert alarms.told == []
    other = Reference.of(vectors_of(2_000, 3, 1.0), votes_of(2_000, 1), KEYS, 2)
    watch.saved(labeled(512, 20, shift=1.0), current(1))
    watch.saved(labeled(2_048, 21, shift=1.0), current(2, reference=other))
    assert alarms.told == [(1, "distance")]


def test_switched_off_it_says_nothing() -> None:
    alarms = Alarms()
    watch_of(alarms, Windows(), DriftSettings(enabled=False)).saved(labeled(512, 20, shift=1.0), current())
    assert alarms.told == []


def test_audits_of_windows_that_froze_after_the_bundle_count_once_each() -> None:
    alarms, windows = Alarms(), Windows([record(3, [True] * 100)], opened=[4])
    watch = watch_of(alarms, windows)
    watch.saved(labeled(8, 2), current())
    windows.closed = [record(4, [True] * 100), *windows.closed]
    watch.saved(labeled(8, 3), current())
    windows.closed = [record(6, [False] * 200), record(5, [False] * 200), *windows.closed]
    watch.saved(labeled(8, 4), current())
    assert alarms.told == [], "the bad ones froze before"
    windows.closed = [record(8, [True] * 60), record(7, [False] * 60), *windows.closed]
    watch.saved(labeled(8, 5), current())
    assert alarms.told == [(1, "audits")]
    for seed in range(6, 16):
        watch.saved(labeled(8, seed), current())
    assert alarms.told == [(1, "audits")]


def test_an_open_alarm_asks_for_fresh_gold_beside_that_of_the_start() -> None:
    windows = cast(WindowStore, Windows(ever=60, fresh=15))
    sixty = replace(POLICY, guarantee=replace(POLICY.guarantee, cold_start_gold=60))
    assert gold_wanted(windows, 0, CALM, sixty) == 0
    assert gold_wanted(windows, 1, CALM, sixty) == 60, "as many again after a bundle that was no better"
    assert gold_wanted(windows, 0, DriftStanding(1, 5), sixty) == 25
    assert gold_wanted(windows, 1, DriftStanding(1, 5), sixty) == 60
    assert gold_wanted(windows, 0, DriftStanding(0, 5), sixty) == 0


def test_an_open_alarm_audits_more_but_never_more_than_everything() -> None:
    assert audit_share(POLICY, DriftStanding(0, 5)) == 0
    assert audit_share(POLICY, DriftStanding(1, 5)) == pytest.approx(0.6)
    much = replace(POLICY, guarantee=replace(POLICY.guarantee, audit_share=0.5))
    assert audit_share(much, DriftStanding(1, 5)) == 1.0


def test_nothing_counts_as_accepted_while_an_alarm_is_open_nor_on_windows_before_it() -> None:
    windows = cast(WindowStore, Windows(tau=0.8))
    promise = GuaranteeSettings(provisional="accepted")
    for standing, least in ((CALM, 0.8), (DriftStanding(1, 5), np.inf), (DriftStanding(0, 5), np.inf)):
        assert AcceptedFrom(windows, promise, lambda now=standing: now)() == least  # type: ignore[misc]


def test_the_standing_is_looked_up_once_a_second() -> None:
    alarms = Alarms(DriftStanding(1, 5))
    state = DriftState(cast(AlarmStore, alarms), SETTINGS, clock=Ticks(0.4))
    seen = []
    for open_ in (1, 2, 3, 4):
        alarms.now = DriftStanding(open_, 5)
        seen.append(state().open)
    assert seen == [1, 1, 1, 4]
    off = DriftState(cast(AlarmStore, alarms), DriftSettings(enabled=False))
    assert off() == CALM


def test_an_alarm_says_what_it_waits_for_and_how_it_ended() -> None:
    alarm = AlarmRecord(1, 1_000, 1_000, 1, 10, "distance", "far", 0.3, 1, None, None)
    assert alarm_state(alarm, 12, SETTINGS) == "open: 12 of 40 fresh random answers are in"
    assert alarm_state(alarm, 70, SETTINGS).startswith("open: 40 of 40")
    assert (
        alarm_state(replace(alarm, ended_at=9_000, ended_by=2), None, SETTINGS)
        == "ended after 8 s by bundle 2"
    )
