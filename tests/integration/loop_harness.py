"""The worker's two loops on an in-memory broker and a real SQLite file, driven step by step."""

import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from database_fixtures import blank_sqlite

from daemon.adapters.kafka.fake import FakeKafka, FakePublisher, FakeSource
from daemon.adapters.store.alarms import AlarmRoom
from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.batch_size import BatchSize
from daemon.core.bundles import BundleFollower
from daemon.core.desk import Desk
from daemon.core.drift import DriftState, DriftWatch, gold_wanted
from daemon.core.evidence import function_key
from daemon.core.first_look import Encoder
from daemon.core.learning import Learner, Train
from daemon.core.market import LOOK_SECONDS, MarketWatch
from daemon.core.metrics import UNMETERED, Meter
from daemon.core.pipeline import Columns, Pipeline
from daemon.core.policy import Outputs, Policy
from daemon.core.ports import Registry
from daemon.core.rows import FunctionVersion
from daemon.core.run_description import describe
from daemon.core.settings import (
    GuaranteeSettings,
    LearningSettings,
    RoutingSettings,
    StreamSettings,
    TierSettings,
)
from daemon.core.stream import StreamWorker
from labeling_functions.applier import Applier
from labeling_functions.function import Function, labeling_function
from models.bundles import bundle_from_priors
from models.guarantee.window import toss

CLASSES = ("ham", "spam")


@labeling_function
def win(x: Any) -> int:
    return 1 if "win" in x.text else -1


@labeling_function
def prize(x: Any) -> int:
    return 1 if "prize" in x.text else -1


@labeling_function
def now(x: Any) -> int:
    return 1 if "now" in x.text else -1


@labeling_function
def hello(x: Any) -> int:
    return 0 if "hello" in x.text else -1


@labeling_function
def friend(x: Any) -> int:
    return 0 if "friend" in x.text else -1


@labeling_function
def lunch(x: Any) -> int:
    return 0 if "lunch" in x.text else -1


FUNCTIONS = (win, prize, now, hello, friend, lunch)

POLICY = Policy(
    classes=CLASSES,
    tiers={
        "crowd": TierSettings(price=0.05, overlap=1, accuracy=0.9),
        "expert": TierSettings(price=0.6, final=True, accuracy=0.98),
    },
    guarantee=GuaranteeSettings(cold_start_gold=0, window_items=200, audit_share=0.5),
    routing=RoutingSettings(ask_below=0.7),
)


@dataclass
class Loop:
    """A worker that is stepped by the test; `policy` may be changed before `start`.

    `url`: of a migrated database; a SQLite file in the folder if none.
    """

    folder: Path
    policy: Policy = POLICY
    random: Callable[[int], Any] = field(default_factory=lambda: np.random.default_rng(1).random)
    functions: Sequence[Function] = FUNCTIONS
    encoder: Encoder | None = None
    url: str | None = None
    meter: Meter = UNMETERED

    def start(self) -> "Loop":
        """Build everything."""
        self.clock = MovableClock()
        self.url = self.url or blank_sqlite(self.folder / "loop.db")
        self.database = Database(self.url, self.clock)
        caps = {name: tier.budget_micros for name, tier in self.policy.tiers.items()}
        self.store = StreamRoom(self.database, caps)
        self.windows = WindowRoom(self.database, caps, toss)
        self.learning = LearningRoom(self.database)
        final, space = self.policy.final_tiers, self.policy.space
        paced = self.policy.routing.pace == "day"
        self.questions = QuestionRoom(self.database, Allowances(caps, final, paced), space.n_facets)
        self.kafka = FakeKafka()
        for topic in ("items", "labels", "questions", "dead-letters"):
            self.kafka.create(topic, 2)
        publisher = FakePublisher(self.kafka)
        outputs = Outputs("labels", "questions", "dead-letters", publisher.partitions)
        priors = bundle_from_priors(space.classes, space.sets, self.policy.accuracies)
        bundles = BundleFollower(self.learning, priors, seconds=0.0)
        versions = [FunctionVersion(f.name, f.version) for f in self.functions]
        columns = Columns(
            self.store.register_functions(versions).id,
            tuple(v.name for v in versions),
            tuple(function_key(v) for v in versions),
        )
        # Every look at a clock finds that a minute has passed, so that nothing is answered from memory.
        minutes = itertools.count(0, 60)
        rooms = AlarmRoom(self.database)
        drift = DriftState(rooms, self.policy.drift, lambda: next(minutes))
        watch = DriftWatch(
            rooms, self.windows, self.policy.drift, "test", columns.keys, lambda: next(minutes)
        )

        def wanted() -> int:
            return gold_wanted(self.windows, bundles.rejected(), drift(), self.policy)

        pipeline = Pipeline(
            store=self.store,
            applier=Applier(self.functions, space, 10.0),
            columns=columns,
            encoder=self.encoder,
            policy=self.policy,
            market=self.market(),
            outputs=outputs,
            settings=StreamSettings(max_message_bytes=10_000),
            gold_wanted=wanted,
            random=self.random,
            watch=watch.saved,
            meter=self.meter,
        )
        self.source = FakeSource(self.kafka, "items", self.store.locate)
        self.source.rebalance([0, 1])
        stop = threading.Event()
        self.worker = StreamWorker(
            self.source,
            pipeline,
            self.store,
            bundles,
            stop,
            0.5,
            saved=lambda: None,
            size=BatchSize(256),
            meter=self.meter,
        )
        self.desk = Desk(
            store=self.store,
            windows=self.windows,
            publisher=publisher,
            bundles=bundles,
            policy=self.policy,
            market=self.market(),
            outputs=outputs,
            holder="test",
            stop=stop,
            wake=threading.Event(),
            idle_seconds=0.01,
            names=lambda _: [v.name for v in versions],
            keys=lambda _: [function_key(v) for v in versions],
            gold_wanted=wanted,
            drift=drift,
            meter=self.meter,
        )
        return self

    def learner(
        self,
        registry: Registry,
        settings: LearningSettings,
        train: Train,
        holder: str = "one",
        alive: Callable[[Mapping[str, object]], None] = lambda _: None,
    ) -> Learner:
        """One that learns from this loop's answers."""
        return Learner(
            stream=self.store,
            store=self.learning,
            registry=registry,
            policy=self.policy,
            settings=settings,
            train=train,
            describe=partial(describe, source="a test", target_error=0.05),
            holder=holder,
            stop=threading.Event(),
            alive=alive,
        )

    def market(self) -> MarketWatch:
        """Looks at the money each time."""
        ticks = itertools.count(step=LOOK_SECONDS)
        return MarketWatch(self.policy, self.store.spent_tiers, lambda: next(ticks))

    def send(self, messages: Sequence[dict[str, Any] | bytes], partition: int = 0) -> None:
        """Put messages on topic items."""
        values = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        for value in values:
            self.kafka.produce("items", partition, value)

    def read(self) -> None:
        """Let the worker label everything that is there, then publish."""
        stop = self.worker.stop
        while True:
            batch = self.source.poll()
            if not batch.records:
                break
            labeled = self.worker._label_and_save(batch)
            self.worker._count(batch, labeled)
        assert not stop.is_set()
        self.settle()

    def settle(self) -> None:
        """Let the desk do everything that is due."""
        while self.desk.answer_rechecks() + self.desk.publish():
            pass

    def tend(self) -> None:
        """Let the desk look after windows, and what follows from them."""
        self.desk.tend_windows()
        self.settle()

    def labels(self) -> dict[str, dict[str, Any]]:
        """Current label of every item on topic labels."""
        found: dict[str, dict[str, Any]] = {}
        for message in self.messages("labels"):
            label = json.loads(message.value)
            if label["revision"] > found.get(label["item"], {"revision": 0})["revision"]:
                found[label["item"]] = label
        return found

    def messages(self, topic: str) -> list[Any]:
        """Everything on a topic."""
        return [record for partition in self.kafka.topics[topic].partitions for record in partition.records]

    def answer(self, name: str, tier: str, judge: Callable[[str], int], limit: int = 10_000) -> int:
        """Have one person answer everything of a tier that they may, by its text; number of answers."""
        return self.answer_items(name, tier, lambda item: judge(item["text"]), limit)

    def answer_items(
        self, name: str, tier: str, judge: Callable[[dict[str, Any]], int], limit: int = 10_000
    ) -> int:
        """The same, by the whole message."""
        person = self.questions.enroll(name, tier).id
        done = 0
        while done < limit:
            leases = self.questions.lease(person, tier, min(50, limit - done), 60.0)
            if not leases:
                break
            for lease in leases:
                self.questions.answer(lease.question, person, judge(json.loads(lease.payload)), 1.0)
                done += 1
        self.settle()
        return done

    def close(self) -> None:
        """Close the database."""
        self.database.close()


__all__ = ["CLASSES", "POLICY", "Loop", "replace"]
