"""`labelloop annotate TIER` where people answer in another program."""

import signal
import threading
from collections.abc import Callable, Mapping

from daemon.adapters.kafka.publisher import KafkaPublisher
from daemon.adapters.kafka.source import KafkaSource
from daemon.adapters.kafka.topics import check_topics, create_topics
from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.adapters.outside.label_studio.queue import LabelStudioQueue
from daemon.adapters.outside.mturk.client import MturkClient
from daemon.adapters.outside.mturk.page import Page
from daemon.adapters.outside.mturk.queue import MturkQueue
from daemon.adapters.store.binding import origin
from daemon.adapters.store.controls import Controls
from daemon.adapters.store.engine import Database
from daemon.adapters.store.outside import OutsideRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.core.batch_size import FIRST_ITEMS
from daemon.core.desk import HeldDuty
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideQueue
from daemon.core.outside_loop import OutsideLoop
from daemon.core.settings import KAFKA, LABEL_STUDIO, MTURK, PAYS_ALL
from daemon.core.vote_stream import VoteStream
from daemon.wiring import parts, watching
from daemon.wiring.config import Config

TURN_SECONDS: Mapping[str, float] = {LABEL_STUDIO: 30.0, MTURK: 300.0}
"""A turn may take so long before another process believes this one dead. Mechanical Turk takes one thing a
call."""

LONGEST_NAME = 50
"""Characters of a project's title in Label Studio, which takes the fewest."""

Work = Callable[[Config, Database, str, threading.Event], None]


def main(config: Config, tier: str) -> None:
    """Hold questions and take answers until SIGTERM or SIGINT."""
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    database = parts.open_database(config)
    try:
        WORK[config.tiers[tier].backend](config, database, tier, stop)
    finally:
        database.close()


def room(config: Config, database: Database, tier: str) -> OutsideRoom:
    """What is held for the people of a tier; votes are taken for all tiers of its backend."""
    backend = config.tiers[tier].backend
    tiers = [name for name, settings in config.tiers.items() if settings.backend == backend]
    facets, pays_all = config.task.space.n_facets, backend in PAYS_ALL
    controls = Controls({name: config.tiers[name].controls for name in tiers})
    return OutsideRoom(database, tiers, parts.allowances(config), facets, pays_all, controls)


def reporter(config: Config, database: Database, tier: str) -> Callable[[Mapping[str, object]], None]:
    """Takes what a process says of itself."""
    stream, name = StreamRoom(database, parts.caps(config)), parts.holder(f"annotate-{tier}")
    return lambda report: stream.report(name, "annotate", report)


def take_votes(config: Config, database: Database, tier: str, stop: threading.Event) -> None:
    """Take votes from Kafka."""
    if config.kafka.bootstrap is None:
        raise SetupProblem(
            "kafka.bootstrap is not set: name your brokers there, or let `labelloop up` start an embedded one"
        )
    settings = config.kafka.of_votes()
    if settings.create_topics:
        create_topics(settings)
    if problems := check_topics(settings):
        raise SetupProblem("; ".join(problems))
    publisher = KafkaPublisher(config.kafka)
    try:
        votes = _stream(config, database, tier, stop, publisher)
        try:
            watching.run_watched(votes, config, database, tier)
        finally:
            votes.source.close()
        votes.tell()
    finally:
        publisher.close()


def _stream(
    config: Config, database: Database, tier: str, stop: threading.Event, publisher: KafkaPublisher
) -> VoteStream:
    store, settings = room(config, database, tier), config.tiers[tier]
    outputs = parts.outputs(config, publisher.partitions)
    for topic in (outputs.questions, outputs.dead_letters):
        publisher.partitions(topic, ())  # learned now, so that an outage later does not stop us
    source = KafkaSource(
        config.kafka.of_votes(),
        StreamRoom(database, parts.caps(config)).locate,
        end_offsets_exact=config.kafka.end_offsets_exact,
        batch_items=min(FIRST_ITEMS, config.stream.batch_items),
    )
    return VoteStream(
        source=source,
        store=store,
        space=config.task.space,
        outputs=outputs,
        queue=store.enroll(tier),
        tier=tier,
        price=settings.price_micros,
        outstanding=settings.outstanding,
        lease_seconds=settings.lease_seconds,
        stop=stop,
        report=reporter(config, database, tier),
    )


def queue_name(config: Config, database: Database, tier: str) -> str:
    """What a tier's queue is called in another program, at most LONGEST_NAME characters.

    No other database has it: numbers of questions begin anew in each, so that what one has left there would
    pass for questions of another.
    """
    end = f" / {tier} ({origin(database)})"
    return config.task.name[: max(1, LONGEST_NAME - len(end))] + end


def serve_label_studio(config: Config, database: Database, tier: str, stop: threading.Event) -> None:
    """Questions of a tier as tasks of a project."""
    settings = config.label_studio
    client = LabelStudioClient(settings)
    title = queue_name(config, database, tier)
    outside = LabelStudioQueue(client, config.task, title, config.tiers[tier].suggest)
    _serve(config, database, tier, outside, settings.poll_seconds, stop)


def serve_mturk(config: Config, database: Database, tier: str, stop: threading.Event) -> None:
    """Questions of a tier as HITs."""
    settings, tier_settings = config.mturk, config.tiers[tier]
    hit = settings.tiers[tier]
    page = Page(config.task, hit.title, settings.submit_url, tier_settings.suggest)
    client = MturkClient(settings)
    name = f"Paused: {queue_name(config, database, tier)}"
    outside = MturkQueue(client, config.task, name, hit, tier_settings.lease_seconds, page)
    _serve(config, database, tier, outside, settings.poll_seconds, stop)


def _serve(
    config: Config,
    database: Database,
    tier: str,
    outside: OutsideQueue,
    poll_seconds: float,
    stop: threading.Event,
) -> None:
    store, settings = room(config, database, tier), config.tiers[tier]
    name = parts.holder(f"annotate-{tier}")
    stream, longest = (
        StreamRoom(database, parts.caps(config)),
        TURN_SECONDS[settings.backend] + 2 * poll_seconds,
    )
    duty = HeldDuty(stream, f"outside:{tier}", name, longest)
    loop = OutsideLoop(
        outside=outside,
        store=store,
        queue=store.enroll(tier),
        tier=tier,
        outstanding=settings.outstanding,
        lease_seconds=settings.lease_seconds,
        poll_seconds=poll_seconds,
        working=lambda: duty.get() is not None,
        stop=stop,
        report=reporter(config, database, tier),
    )
    try:
        watching.run_watched(loop, config, database, tier)
        duty.drop()
    finally:
        outside.close()


WORK: Mapping[str, Work] = {KAFKA: take_votes, LABEL_STUDIO: serve_label_studio, MTURK: serve_mturk}
"""What serves the people of each backend."""
