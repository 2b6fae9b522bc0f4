"""A broker for the tests, one a run, and helpers to talk to it behind the code under test."""

import os
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from patience import PATIENCE

with warnings.catch_warnings():  # it reads its schemas, when imported, in a way that Python deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from daemon.adapters.broker.apache import ApacheKafka, find_java
from daemon.adapters.broker.embedded import EmbeddedBroker
from daemon.adapters.broker.process import Broker, RunningBroker, wait_ready
from daemon.adapters.kafka.settings import KafkaSettings, TopicNames
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem

# Brokers of tests start often and work little: with Java's first compiler alone that takes half as long.
JAVA_OPTIONS = "JDK_JAVA_OPTIONS"
os.environ.setdefault(JAVA_OPTIONS, "-XX:TieredStopAtLevel=1")

DEADLINE = 30.0
"""Seconds that a test waits for a condition on a broker; groups of the embedded one form slowly."""
START_SECONDS = 60.0
SHARED = "kafka_port"
"""Under which a process that runs tests is told the port of the broker that it shares with others."""
FIRST_REST, LONGEST_REST = 0.002, 0.2
"""Seconds between two looks; in between, a tenth of what was waited so far."""


def wait_until(
    condition: Callable[[], Any],
    deadline: float = DEADLINE,
    what: str | Callable[[], str] = "the condition",
    longest_rest: float = LONGEST_REST,
) -> Any:
    """Call until it returns something true, and return that; fails the test after the deadline.

    Between calls it rests, at first briefly, then for a tenth of the time that has passed: who only looks
    must not take a core from what is looked at. Who must catch a moment that passes gives 0 for
    `longest_rest`. The deadline is lengthened by `PATIENCE`; a call for `what` is made when it has passed.
    """
    deadline *= PATIENCE
    began = monotonic()
    while True:
        found = condition()
        if found:
            return found
        waited = monotonic() - began
        if waited > deadline:
            told = what if isinstance(what, str) else what()
            pytest.fail(f"{told} did not come about within {deadline:g} s")
        sleep(min(max(FIRST_REST, waited / 10), longest_rest))


Start = Callable[[], RunningBroker]


@dataclass(frozen=True)
class KafkaForTests:
    """Which broker the session uses, and how to act on it as somebody else would."""

    bootstrap: str
    name: str
    is_apache: bool
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> KafkaSettings:
        """Settings with names that no other test uses, and the shortest session."""
        mark = uuid.uuid4().hex[:12]
        topics = TopicNames(*(f"{name}-{mark}" for name in (*TopicNames().all(), "votes")))
        return KafkaSettings(
            bootstrap=self.bootstrap, group=f"group-{mark}", topics=topics, partitions=3, session_seconds=6.0
        )

    def create_topic(self, partitions: int = 1, configs: dict[str, str] | None = None) -> str:
        """Make a topic of a new name, ready for use."""
        name = f"topic-{uuid.uuid4().hex[:12]}"
        self.create(name, partitions, configs)
        return name

    def create(self, name: str, partitions: int = 1, configs: dict[str, str] | None = None) -> None:
        """Make this topic."""
        topic = {name: {"num_partitions": partitions, "configs": configs or {}}}
        self.admin.create_topics(topic, wait_for_metadata=True)

    def settings_with_topic(self, partitions: int = 1) -> KafkaSettings:
        """Settings whose items topic exists."""
        settings = self.settings
        self.create(settings.topics.items, partitions)
        return settings

    def produce(
        self,
        topic: str,
        values: Sequence[bytes | None],
        *,
        partition: int = 0,
        key: bytes | None = b"k",
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Append messages to one partition, in order, acknowledged when this returns."""
        producer = self.producer
        sent = [producer.send(topic, v, key, list(headers), partition) for v in values]
        producer.flush(DEADLINE * PATIENCE)
        for future in sent:
            future.get(0)

    def read_all(
        self, topic: str, until: Callable[[list[Any]], bool], deadline: float = DEADLINE
    ) -> list[Any]:
        """Every message of a topic from its beginning, once `until` holds of them; fails at the deadline."""
        # The program may be making the topic just now.
        partitions = wait_until(lambda: self._partitions(topic), deadline, f"topic {topic}")
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, allow_auto_create_topics=False
        )
        try:
            consumer.assign([TopicPartition(topic, number) for number in partitions])
            for assigned in consumer.assignment():
                consumer.seek(assigned, 0)
            read: list[Any] = []

            def enough() -> bool:
                for records in consumer.poll(200).values():
                    read.extend(records)
                return until(read)

            wait_until(enough, deadline, f"what was wanted of topic {topic}")
            return read
        finally:
            consumer.close(autocommit=False)

    def _partitions(self, topic: str) -> list[int]:
        """None while the topic is not there."""
        return [found["partition_index"] for found in self.admin.describe_topics([topic])[0]["partitions"]]

    @property
    def admin(self) -> Any:
        """An admin client, made when first used."""
        return self._client("admin", lambda: KafkaAdminClient(bootstrap_servers=self.bootstrap))

    @property
    def producer(self) -> Any:
        """A producer of a client that is not ours."""
        return self._client(
            "producer", lambda: KafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=20_000_000)
        )

    def close(self) -> None:
        """Disconnect the clients."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _client(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._clients:
            self._clients[name] = make()
        return self._clients[name]


def kafka_home() -> Path | None:
    """Where Apache Kafka is, if the tests are to use it and Java can run it."""
    home = os.environ.get("LABELLOOP_KAFKA_HOME")
    if not home:
        return None
    try:
        find_java()
    except SetupProblem:
        return None
    return Path(home)


def broker_name() -> str:
    """Which broker a session of tests uses."""
    if os.environ.get("LABELLOOP_TEST_BOOTSTRAP"):
        return "LABELLOOP_TEST_BOOTSTRAP"
    return "Apache Kafka" if kafka_home() else "embedded broker (tansu)"


def running_broker(broker: Broker, log: Path) -> RunningBroker:
    """It answers; a Kafka that starts beside other tests may take its time."""
    return RunningBroker(broker, log, START_SECONDS * PATIENCE)


def session_broker(folder: Path, port: int) -> Broker:
    """Apache Kafka with its data in the folder, else the embedded broker; nothing is started."""
    home = kafka_home()
    return ApacheKafka(home, folder, port) if home else EmbeddedBroker(port)


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaForTests]:
    """The broker of this run: the one given, else that of `shared_kafka`, else one of this process."""
    given = os.environ.get("LABELLOOP_TEST_BOOTSTRAP")
    if given:
        with _clients(given, is_apache=True) as found:
            yield found
        return
    folder = tmp_path_factory.mktemp("kafka")
    with ExitStack() as stack:
        if shared := getattr(pytestconfig, "workerinput", {}).get(SHARED):
            broker = session_broker(folder, shared)
            wait_ready(broker, START_SECONDS * PATIENCE)
        else:
            broker = session_broker(folder, free_port())
            stack.callback(running_broker(broker, folder / "broker.log").stop)
        yield stack.enter_context(_clients(broker.bootstrap, is_apache=isinstance(broker, ApacheKafka)))


def own_apache_kafka(folder: Path, extra: Callable[[int], str] = lambda port: "") -> ApacheKafka:
    """One with its data in the folder, nothing started; skips the test where there is none.

    `extra`: lines for its properties, by its port.
    """
    home = kafka_home()
    if home is None:
        pytest.skip("needs Apache Kafka: set LABELLOOP_KAFKA_HOME and have Java 17")
    port = free_port()
    return ApacheKafka(home, folder / "kafka", port, extra(port))


@pytest.fixture(scope="module")
def restartable_apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Gives the running Apache Kafka of this module, which no other uses and any test may end; where one has,
    it is started again on the same port and data.
    """
    folder = tmp_path_factory.mktemp("restartable")
    broker, running = own_apache_kafka(folder), list[RunningBroker]()

    def start() -> RunningBroker:
        if not running or running[-1].process.poll() is not None:
            running.append(running_broker(broker, folder / "broker.log"))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@contextmanager
def _clients(bootstrap: str, *, is_apache: bool) -> Iterator[KafkaForTests]:
    found = KafkaForTests(bootstrap, broker_name(), is_apache)
    try:
        yield found
    finally:
        found.close()
