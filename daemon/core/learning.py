"""The learner's loop: wait for news, train a candidate, log it, promote it if it is better."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from daemon.core.assembling import assemble
from daemon.core.bundles import whole
from daemon.core.decide import first_gold
from daemon.core.desk import HeldDuty
from daemon.core.errors import DutyLost, RegistryUnavailable, TrainingStopped
from daemon.core.learning_rows import News, Prospects, TrainingRows
from daemon.core.metrics import REGISTRY_FAILURES, TRAINING_SECONDS, TRAININGS, UNMETERED, Meter
from daemon.core.picking import Picker
from daemon.core.policy import Policy
from daemon.core.ports import LearningStore, Registry, StreamStore
from daemon.core.runs import Logged, TrainingRun
from daemon.core.settings import LearningSettings
from models.any_training import AnyCandidate, AnyData
from models.bundles import AnyBundle
from models.stopping import Verdict

log = logging.getLogger(__name__)

LEARNING_SECONDS = 60.0
"""The duty outlives a slow answer of the registry."""

Train = Callable[[AnyData, AnyBundle | None, Callable[[], object]], AnyCandidate]
"""Data, champion and what to call now and then meanwhile."""

Describe = Callable[[TrainingRows, AnyData, AnyCandidate, AnyBundle | None], TrainingRun]
"""What MLflow is told of a run: what was read and learned from, what came of it, and the champion."""


def is_due(news: News, settings: LearningSettings, first_at: int | None, fresh_at: int | None = None) -> bool:
    """Enough new answers, or a long time with any at all.

    Args:
        first_at: random answers that the very first run waits for; None once a bundle is there.
        fresh_at: random answers on items after a drift alarm with which a run is made in any case.
    """
    if fresh_at is not None and knows_drift(news, fresh_at):
        return True
    if first_at is not None and news.gold >= first_at > 0:
        return True
    return news.answers >= settings.min_answers or (news.answers > 0 and news.age >= settings.max_seconds)


def word_of(verdict: Verdict) -> str:
    """Whether people are asked about items only so that the models learn."""
    return "stopped" if verdict.stop else "goes on"


def told(run: TrainingRun, verdict: Verdict) -> TrainingRun:
    """The run with what it said about asking to learn."""
    metrics = {**run.metrics, "learning_stopped": float(verdict.stop)}
    return replace(run, metrics=metrics, learning=f"{word_of(verdict)}: {verdict.reason}")


def knows_drift(news: News, fresh_at: int) -> bool:
    """Whether drift alarms are open and a run now would know so many random answers from after them."""
    return news.fresh is not None and news.fresh >= fresh_at


@dataclass
class Learner:
    """Trains when there is news; one process at a time works, others wait for the duty.

    Attributes:
        train: fits and judges a candidate; takes long, and may run elsewhere.
        describe: what the registry is told.
        alive: called while waiting, so that the process shows that it lives.
    """

    stream: StreamStore
    store: LearningStore
    registry: Registry
    policy: Policy
    settings: LearningSettings
    train: Train
    describe: Describe
    holder: str
    stop: threading.Event
    alive: Callable[[Mapping[str, object]], None]
    meter: Meter = UNMETERED

    def __post_init__(self) -> None:
        self._duty = HeldDuty(self.stream, "learning", self.holder, LEARNING_SECONDS)
        self._learned = False
        self._picker = Picker(self.store, self.settings)
        self._picks: dict[str, object] = {}

    def run(self) -> None:
        """Look for news until `stop` is set."""
        self._mirror_champion()
        while not self.stop.is_set():
            try:
                self.step()
            except TrainingStopped as stopped:
                self.meter.add(TRAININGS, 1, "stopped")
                log.info("no training: %s", stopped, extra={"action": "training_stopped"})
            self.stop.wait(self.settings.poll_seconds)
        self.leave()

    def leave(self) -> None:
        """Let another learner work at once."""
        self._duty.drop()

    def step(self, whatever: bool = False) -> bool:
        """Train once if it is due (or `whatever` the news). True if a run was made."""
        if self._duty.get() is None:
            self.alive({"doing": "waiting: another learner works"})
            return False
        news = self.store.news()
        if not news.items or not (whatever or self._is_due(news)):
            self._say("waiting for answers", new_answers=news.answers)
            return False
        self._say("training", new_answers=news.answers)
        self._run(knows_drift(news, self.policy.drift.gold))
        return True

    def _is_due(self, news: News) -> bool:
        fresh_at = self.policy.drift.gold if self.policy.drift.enabled else None
        return is_due(news, self.settings, self._first_at(), fresh_at)

    def _run(self, ends_alarms: bool) -> None:
        since = time.perf_counter()
        champion = self.store.current_bundle(None)
        before = whole(champion.id, champion.data) if champion else None
        prospects = self.store.prospects()
        rows = self.store.training_rows(self.settings.max_items, self.policy.final_tiers)
        data = assemble(rows, self.policy, champion if before else None)
        candidate = self.train(data, before, self._still_training)
        verdict = self._picker.verdict(rows, data, candidate.bundle, prospects)
        run = told(self.describe(rows, data, candidate, before), verdict)
        self._keep(candidate, self._log(run), ends_alarms)
        self.meter.observe(TRAINING_SECONDS, time.perf_counter() - since)
        self._pick(rows, data, prospects, verdict)

    def _pick(self, rows: TrainingRows, data: AnyData, prospects: Prospects, verdict: Verdict) -> None:
        """Choose with the bundle that workers follow now, whether it is this run's or not.

        Once asking stops, what still waits from earlier runs is withdrawn: its answer would be paid for
        nothing.
        """
        picked, withdrawn, duty = 0, 0, self._duty.get()
        try:
            if duty is not None and verdict.stop:
                withdrawn = self.store.withdraw_picks(duty)
            elif duty is not None:
                picked = self._picker.pick(duty, rows, data, prospects)
        except DutyLost:
            self._duty.lost()
        log.info(
            "asking to learn %s: %s; %d items picked, %d questions withdrawn",
            word_of(verdict),
            verdict.reason,
            picked,
            withdrawn,
            extra={"action": "picked"},
        )
        self._picks = {"picks": picked, "asking_to_learn": f"{word_of(verdict)} ({verdict.reason})"}
        self._say("waiting for answers", new_answers=0)

    def _say(self, doing: str, **news: int) -> None:
        self.alive({"doing": doing, **news, **self._picks})

    def _first_at(self) -> int | None:
        """Nobody but the random draws is asked before there is a bundle, so it must not wait for more."""
        self._learned = self._learned or self.store.current_bundle(None) is not None
        if self._learned:
            return None
        return first_gold(self.policy.guarantee.cold_start_gold, self.store.rejected())

    def _still_training(self) -> None:
        self._duty.get()
        self._say("training")

    def _log(self, run: TrainingRun) -> Logged | None:
        """Labels must not wait for a tracking server: a run that cannot be logged is still promoted."""
        try:
            return self.registry.log_training(run)
        except RegistryUnavailable as error:
            self.meter.add(REGISTRY_FAILURES, 1)
            log.error("this run is missing in MLflow: %s", error, extra={"action": "registry_unavailable"})
            return None

    def _keep(self, candidate: AnyCandidate, logged: Logged | None, ends_alarms: bool) -> None:
        payload = candidate.bundle.to_bytes()
        digest = hashlib.sha256(payload).hexdigest()
        run, version = (logged.run_id, logged.model_version) if logged else (None, None)
        bundle = self.store.save_bundle(digest, payload, run, version)
        if not self._follow(candidate, bundle, ends_alarms):
            return
        self._mirror_champion()
        looked = self.store.look_again("bundle", self.settings.second_look_items)
        log.info(
            "bundle %d promoted (%s); %d items are looked at again",
            bundle,
            candidate.reason,
            looked,
            extra={"action": "promoted"},
        )

    def _follow(self, candidate: AnyCandidate, bundle: int, ends_alarms: bool) -> bool:
        """Promote the candidate if it is better, end the alarms in either case; True if it was promoted.

        A champion that is as good on what came after the alarm needs no other bundle in its place.
        """
        duty = self._duty.get()
        if duty is None:
            self.meter.add(TRAININGS, 1, "lost")
            log.warning("lost the duty while training", extra={"action": "duty_lost"})
            return False
        try:
            if candidate.promoted:
                self.store.promote(duty, bundle, ends_alarms)
            elif ends_alarms:
                self.store.end_alarms(duty)
        except DutyLost:
            self.meter.add(TRAININGS, 1, "lost")
            self._duty.lost()
            return False
        self.meter.add(TRAININGS, 1, "promoted" if candidate.promoted else "kept")
        if ends_alarms:
            log.info("drift: the models know the stream after the alarm", extra={"action": "drift_ended"})
        if not candidate.promoted:
            log.info("run kept, not promoted: %s", candidate.reason, extra={"action": "not_promoted"})
        return candidate.promoted

    def _mirror_champion(self) -> None:
        """A crash between promotion and alias must not leave MLflow telling another story."""
        current = self.store.current_bundle(None)
        if current is None or current.mlflow_version is None:
            return
        try:
            if self.registry.champion() != current.mlflow_version:
                self.registry.set_champion(current.mlflow_version)
        except RegistryUnavailable as error:
            self.meter.add(REGISTRY_FAILURES, 1)
            log.error("MLflow's alias is behind: %s", error, extra={"action": "registry_unavailable"})
