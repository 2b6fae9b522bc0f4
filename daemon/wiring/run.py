"""`labelloop run`: the stream worker, the only process that decides."""

import gc
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from daemon.adapters.kafka.fenced import FencedKafkaPublisher
from daemon.adapters.kafka.source import KafkaSource
from daemon.adapters.kafka.topics import check_topics, create_topics
from daemon.adapters.store.alarms import AlarmRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.retention import RetentionRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.adapters.watching.server import served
from daemon.core.batch_size import BatchSize
from daemon.core.bundles import BundleFollower
from daemon.core.desk import Desk, HeldDuty
from daemon.core.drift import DriftState, DriftWatch, gold_wanted
from daemon.core.errors import SetupProblem
from daemon.core.evidence import function_key
from daemon.core.ledger import AcceptedFrom
from daemon.core.market import MarketWatch
from daemon.core.metrics import By
from daemon.core.pipeline import Columns, Pipeline
from daemon.core.policy import Outputs, Policy
from daemon.core.retention import Retention
from daemon.core.rows import FunctionVersion
from daemon.core.sparing import Sparing
from daemon.core.stream import StreamWorker
from daemon.wiring import parts, watching, webhooks
from daemon.wiring.config import Config
from daemon.wiring.encoding import Encoding, encoding_by_processes
from labeling_functions.applier import Applier
from labeling_functions.function import Function
from labeling_functions.loading import load
from models.guarantee.window import toss

log = logging.getLogger(__name__)

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""More than a batch of 4,096 holds at a time."""


def main(config: Config) -> None:
    """Work until SIGTERM or SIGINT; the batch at hand is finished first."""
    if config.kafka.bootstrap is None:
        raise SetupProblem(
            "kafka.bootstrap is not set: name your brokers there, or let `labelloop up` start an embedded one"
        )
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    functions = load(config.functions.modules, config.folder)
    database = parts.open_database(config)
    try:
        database.claim_single_worker()
        _prepare_topics(config)
        meter = PrometheusMeter(By.RUN)
        with encoding_by_processes(config, meter) as encoding:
            _work(config, functions, database, stop, meter, encoding)
    finally:
        database.close()


def _prepare_topics(config: Config) -> None:
    if config.kafka.create_topics:
        create_topics(config.kafka)
    if problems := check_topics(config.kafka):
        raise SetupProblem("; ".join(problems))


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What both loops of the worker share.

    Attributes:
        name: of this worker. wake: set after each batch.
    """

    name: str
    wake: threading.Event
    meter: PrometheusMeter
    stream: StreamRoom
    windows: WindowRoom
    bundles: BundleFollower
    publisher: FencedKafkaPublisher
    policy: Policy
    outputs: Outputs
    accepted_from: AcceptedFrom
    alarms: AlarmRoom
    drift: DriftState

    def gold_wanted(self) -> int:
        """Random blind answers still to be drawn."""
        return gold_wanted(self.windows, self.bundles.rejected(), self.drift(), self.policy)


def _work(
    config: Config,
    functions: Sequence[Function],
    database: Database,
    stop: threading.Event,
    meter: PrometheusMeter,
    encoding: Encoding | None,
) -> None:
    rooms = _rooms(config, database, meter)
    pipeline = _pipeline(config, functions, rooms, encoding)
    exact = config.kafka.end_offsets_exact
    source = KafkaSource(config.kafka, rooms.stream.locate, end_offsets_exact=exact)
    worker = _worker(config, rooms, source, pipeline, stop)
    desk_alive = watching.Alive(config.metrics.stale_seconds, "the desk")
    reports = _Reports(rooms, worker, pipeline, encoding, desk_alive)
    done = threading.Event()
    desk = _desk(config, rooms, reports, _tidying(config, rooms, database), done)
    log.info("working as %s", rooms.name, extra={"action": "worker_started"})
    _collect_rarely()
    try:
        needs = watching.of_worker(source, worker, desk_alive, database, config.metrics)
        with webhooks.telling(config, database, stop), served(config.metrics, meter, needs):
            _both(worker.run, desk.run, stop, done, rooms.wake)
    finally:
        source.close()
        rooms.publisher.close()


@dataclass(frozen=True, slots=True)
class _Reports:
    """What the desk says about once a second of the whole worker."""

    rooms: _Rooms
    worker: StreamWorker
    pipeline: Pipeline
    encoding: Encoding | None
    desk_alive: watching.Alive

    def __call__(self, corrected: int) -> None:
        self.desk_alive.heard()
        progress = self.worker.progress
        said = {
            "messages": progress.messages,
            "items": progress.items,
            "dead_letters": progress.dead_letters,
            "duplicates": progress.duplicates,
            "lag": progress.lag,
            "corrected": corrected,
            "encoder": "none" if self.encoding is None else self.encoding.said,
            "seconds": {stage: round(spent, 3) for stage, spent in self.pipeline.seconds.items()},
        }
        self.rooms.stream.report(self.rooms.name, "run", said)

    def pressed(self, at_once: int) -> bool:
        """Whether more items wait than the stream takes at once."""
        return (self.worker.progress.lag or 0) > at_once


def _collect_rarely() -> None:
    """Leave to reference counts what they free by themselves, which is nearly all that a batch makes.

    What was imported and built so far stays: a collection that looks at all of it takes as long as a batch.
    And a batch holds some ten objects an item at a time: collections as often as Python's defaults have them
    would look at each of them several times, a fifth of the worker's own work, and free nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 10, 10)


def _rooms(config: Config, database: Database, meter: PrometheusMeter) -> _Rooms:
    caps, policy, topics = parts.caps(config), parts.policy(config), config.kafka.topics
    publisher = FencedKafkaPublisher(config.kafka)
    for topic in (topics.labels, topics.questions, topics.dead_letters):
        publisher.partitions(topic, ())  # learned now, so that an outage later does not stop decisions
    windows, alarms = WindowRoom(database, caps, toss), AlarmRoom(database)
    drift = DriftState(alarms, policy.drift)
    return _Rooms(
        name=parts.holder("run"),
        wake=threading.Event(),
        meter=meter,
        stream=StreamRoom(database, caps),
        windows=windows,
        bundles=BundleFollower(LearningRoom(database), parts.prior_bundle(policy)),
        publisher=publisher,
        policy=policy,
        outputs=parts.outputs(config, publisher.partitions),
        accepted_from=AcceptedFrom(windows, policy.guarantee, drift),
        alarms=alarms,
        drift=drift,
    )


def _pipeline(
    config: Config, functions: Sequence[Function], rooms: _Rooms, encoding: Encoding | None
) -> Pipeline:
    columns, policy = _columns(rooms.stream, functions), rooms.policy
    spares = config.encoding.skip_certified
    watch = DriftWatch(rooms.alarms, rooms.windows, policy.drift, rooms.name, columns.keys, spares=spares)
    return Pipeline(
        store=rooms.stream,
        applier=Applier(functions, config.task.space, config.stream.function_seconds),
        columns=columns,
        encoder=None if encoding is None else encoding.encoder,
        policy=policy,
        market=MarketWatch(policy, rooms.stream.spent_tiers),
        outputs=rooms.outputs,
        settings=config.stream,
        gold_wanted=rooms.gold_wanted,
        random=np.random.default_rng().random,
        accepted_from=rooms.accepted_from,
        sparing=Sparing(policy, rooms.accepted_from.threshold) if spares else None,
        watch=watch.saved,
        meter=rooms.meter,
    )


def _worker(
    config: Config, rooms: _Rooms, source: KafkaSource, pipeline: Pipeline, stop: threading.Event
) -> StreamWorker:
    return StreamWorker(
        source,
        pipeline,
        rooms.stream,
        rooms.bundles,
        stop,
        config.stream.dead_letter_limit,
        saved=rooms.wake.set,
        size=BatchSize(config.stream.batch_items),
        meter=rooms.meter,
    )


def _desk(
    config: Config, rooms: _Rooms, reports: _Reports, tidy: Callable[[], None], done: threading.Event
) -> Desk:
    versions = lru_cache(maxsize=1_000)(lambda set_id: tuple(rooms.stream.function_keys(set_id)))
    return Desk(
        store=rooms.stream,
        windows=rooms.windows,
        publisher=rooms.publisher,
        bundles=rooms.bundles,
        policy=rooms.policy,
        market=MarketWatch(rooms.policy, rooms.stream.spent_tiers),
        outputs=rooms.outputs,
        holder=rooms.name,
        stop=done,
        wake=rooms.wake,
        idle_seconds=config.stream.desk_milliseconds / 1_000,
        names=lambda set_id: [version.name for version in versions(set_id)],
        keys=lambda set_id: [function_key(version) for version in versions(set_id)],
        report=reports,
        tidy=tidy,
        accepted_from=rooms.accepted_from,
        gold_wanted=rooms.gold_wanted,
        drift=rooms.drift,
        pressed=lambda: reports.pressed(config.stream.batch_items),
        meter=rooms.meter,
    )


def _tidying(config: Config, rooms: _Rooms, database: Database) -> Callable[[], None]:
    """What removes old items; nothing where all are kept."""
    kept = config.database.kept
    if kept.least is None:
        return lambda: None
    duty = HeldDuty(rooms.stream, "retention", rooms.name)
    return Retention(RetentionRoom(database), duty, kept, rooms.meter).tend


def _columns(stream: StreamRoom, functions: Sequence[Function]) -> Columns:
    versions = [FunctionVersion(function.name, function.version) for function in functions]
    registered = stream.register_functions(versions)
    return Columns(
        registered.id,
        tuple(version.name for version in versions),
        tuple(function_key(version) for version in versions),
    )


def _both(
    here: Callable[[], None],
    aside: Callable[[], None],
    stop: threading.Event,
    done: threading.Event,
    wake: threading.Event,
) -> None:
    """Run one loop here and one in a thread; an error in either ends both and is raised.

    `stop` ends the loop here, `done` the one aside: it publishes what the last batch left.
    """
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            aside()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)
            stop.set()

    thread = threading.Thread(target=guarded, name="desk")
    thread.start()
    try:
        here()
    finally:
        done.set()
        wake.set()
        thread.join()
    if errors:
        raise errors[0]
