"""The learner's loop: wait for news, train a candidate, log it, promote it if it is better."""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.decoding import decode_stored
from daemon.core.desk import HeldDuty
from daemon.core.errors import DutyLost, RegistryUnavailable
from daemon.core.evidence import final_label, function_key, tier_key
from daemon.core.policy import Policy
from daemon.core.ports import LearningStore, Registry, StreamStore
from daemon.core.rows import Answer, FunctionVersion, News, StoredBundle, TrainingRows
from daemon.core.runs import Logged, TrainingRun
from daemon.core.settings import LearningSettings
from daemon.core.states import RANDOM_PURPOSES
from models.bundle import Bundle
from models.training import Candidate, TrainingData
from models.votes import Votes

log = logging.getLogger(__name__)

LEARNING_SECONDS = 60.0
"""The duty outlives a slow answer of the registry."""

Train = Callable[[TrainingData, Bundle | None, Callable[[], object]], Candidate]
"""Data, champion and what to call now and then meanwhile."""

Describe = Callable[[TrainingRows, TrainingData, Candidate], TrainingRun]
"""What MLflow is told of a run."""


def is_due(news: News, settings: LearningSettings, first_at: int | None) -> bool:
    """Enough new answers, or a long time with any at all.

    `first_at`: random answers that the very first run waits for; None once a bundle is there.
    """
    if first_at is not None and news.gold >= first_at > 0:
        return True
    return news.answers >= settings.min_answers or (news.answers > 0 and news.age >= settings.max_seconds)


def assemble(rows: TrainingRows, policy: Policy, champion: StoredBundle | None) -> TrainingData:
    """Arrays that models learn from; one row an item.

    Answers of final tiers become `expert`, all others votes of their tier. `fresh` are audited answers
    that came after the champion was trained: it cannot have seen them.
    """
    n = len(rows.ids)
    final = frozenset(name for name, tier in policy.tiers.items() if tier.final)
    given: list[list[Answer]] = [[] for _ in range(n)]
    for row, answer in rows.answers:
        given[row].append(answer)
    expert = np.array([final_label(answers, final) for answers in given], np.int64)
    drawn = [[a for a in answers if a.tier in final and a.purpose in RANDOM_PURPOSES] for answers in given]
    audited = np.array([bool(answers) for answers in drawn], np.bool_)
    trained_at = champion.trained_at if champion else -1
    fresh = np.array([any(a.at > trained_at for a in answers) for answers in drawn], np.bool_)
    return TrainingData(
        classes=policy.classes,
        votes=_votes(rows, given, final, len(policy.classes)),
        expert=expert,
        audited=audited,
        fresh=fresh,
        vectors=_vectors(rows),
        encoder=rows.encoder,
        groups=_groups(rows),
        tier_accuracy={name: tier.accuracy for name, tier in policy.tiers.items()},
    )


def dense_votes(rows: TrainingRows) -> tuple[NDArray[np.bool_], NDArray[np.int8], list[str]]:
    """Votes of the newest function set: mask of the rows that it labeled, (rows, m) matrix, names."""
    newest = int(rows.functions[0])
    mask = rows.functions == newest
    matrix = np.array([rows.inline[row] for row in np.flatnonzero(mask).tolist()], np.int8)
    return mask, matrix, [rows.names[annotator][0] for annotator in rows.sets[newest]]


def _votes(
    rows: TrainingRows, given: Sequence[Sequence[Answer]], final: frozenset[str], n_classes: int
) -> Votes:
    keys = {annotator: function_key(FunctionVersion(*rows.names[annotator])) for annotator in rows.names}
    columns = sorted({annotator for annotators in rows.sets.values() for annotator in annotators})
    parts = [
        _block(rows, functions, [columns.index(a) for a in annotators], n_classes)
        for functions, annotators in rows.sets.items()
    ]
    tiers = sorted({a.tier for answers in given for a in answers if a.tier and a.tier not in final})
    spoken = [
        (row, len(columns) + tiers.index(answer.tier), answer.label)
        for row, answers in enumerate(given)
        for answer in answers
        if answer.tier in tiers and answer.tier is not None
    ]
    parts.append(np.array(spoken, np.int64).reshape(-1, 3))
    entries = np.concatenate(parts)
    return Votes(
        n_items=len(rows.ids),
        annotators=(*(keys[annotator] for annotator in columns), *(tier_key(tier) for tier in tiers)),
        n_symbols=(*([n_classes + 1] * len(columns)), *([n_classes] * len(tiers))),
        row=entries[:, 0],
        annotator=entries[:, 1],
        symbol=entries[:, 2],
    )


def _block(rows: TrainingRows, functions: int, columns: Sequence[int], n_classes: int) -> NDArray[np.int64]:
    """(votes, 3) row, annotator, symbol of one function set; abstentions are a symbol of their own."""
    members = np.flatnonzero(rows.functions == functions)
    if not len(members) or not len(columns):
        return np.empty((0, 3), np.int64)
    votes = np.array([rows.inline[row] for row in members.tolist()], np.int64)
    symbols = np.where(votes < 0, n_classes, votes)
    row, column = np.broadcast_arrays(members[:, None], np.array(columns)[None])
    return np.stack([row.ravel(), column.ravel(), symbols.ravel()], axis=1)


def _vectors(rows: TrainingRows) -> NDArray[np.float32] | None:
    """None unless every row has its vector: a model of some of them would judge the others by nothing."""
    if rows.encoder is None or not rows.has_vector.all():
        return None
    return rows.vectors.astype(np.float32)


def _groups(rows: TrainingRows) -> NDArray[np.int64]:
    """Folds go by subject or text, so that copies of one message never stand on both sides."""
    return np.array(
        [_group(payload, subject) for payload, subject in zip(rows.payloads, rows.subjects, strict=True)],
        np.int64,
    )


def _group(payload: bytes, subject: str | None) -> int:
    text = subject or " ".join(decode_stored(payload).plain_text.lower().split())
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=7).digest(), "big")


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

    def __post_init__(self) -> None:
        self._duty = HeldDuty(self.stream, "learning", self.holder, LEARNING_SECONDS)
        self._learned = False

    def run(self) -> None:
        """Look for news until `stop` is set."""
        self._mirror_champion()
        while not self.stop.is_set():
            self.step()
            self.stop.wait(self.settings.poll_seconds)
        self._duty.drop()

    def step(self, whatever: bool = False) -> bool:
        """Train once if it is due (or `whatever` the news). True if a run was made."""
        if self._duty.get() is None:
            self.alive({"doing": "waiting: another learner works"})
            return False
        news = self.store.news()
        if not news.items or not (whatever or is_due(news, self.settings, self._first_at())):
            self.alive({"doing": "waiting for answers", "new_answers": news.answers})
            return False
        self.alive({"doing": "training", "new_answers": news.answers})
        self._run()
        return True

    def _run(self) -> None:
        champion = self.store.current_bundle(None)
        rows = self.store.training_rows(self.settings.max_items)
        data = assemble(rows, self.policy, champion)
        before = Bundle.from_bytes(champion.data) if champion else None
        candidate = self.train(data, before, self._still_training)
        self._keep(candidate, self._log(self.describe(rows, data, candidate)))

    def _first_at(self) -> int | None:
        """Nobody but the random draws is asked before there is a bundle, so it must not wait for more."""
        self._learned = self._learned or self.store.current_bundle(None) is not None
        return None if self._learned else self.policy.guarantee.cold_start_gold

    def _still_training(self) -> None:
        self._duty.get()
        self.alive({"doing": "training"})

    def _log(self, run: TrainingRun) -> Logged | None:
        """Labels must not wait for a tracking server: a run that cannot be logged is still promoted."""
        try:
            return self.registry.log_training(run)
        except RegistryUnavailable as error:
            log.error("this run is missing in MLflow: %s", error, extra={"action": "registry_unavailable"})
            return None

    def _keep(self, candidate: Candidate, logged: Logged | None) -> None:
        payload = candidate.bundle.to_bytes()
        digest = hashlib.sha256(payload).hexdigest()
        run, version = (logged.run_id, logged.model_version) if logged else (None, None)
        bundle = self.store.save_bundle(digest, payload, run, version)
        if not candidate.promoted:
            log.info("run kept, not promoted: %s", candidate.reason, extra={"action": "not_promoted"})
            return
        duty = self._duty.get()
        if duty is None:
            log.warning("lost the duty while training", extra={"action": "duty_lost"})
            return
        try:
            self.store.promote(duty, bundle)
        except DutyLost:
            self._duty.lost()
            return
        self._mirror_champion()
        looked = self.store.look_again("bundle")
        log.info(
            "bundle %d promoted (%s); %d items are looked at again",
            bundle,
            candidate.reason,
            looked,
            extra={"action": "promoted"},
        )

    def _mirror_champion(self) -> None:
        """A crash between promotion and alias must not leave MLflow telling another story."""
        current = self.store.current_bundle(None)
        if current is None or current.mlflow_version is None:
            return
        try:
            if self.registry.champion() != current.mlflow_version:
                self.registry.set_champion(current.mlflow_version)
        except RegistryUnavailable as error:
            log.error("MLflow's alias is behind: %s", error, extra={"action": "registry_unavailable"})
