"""A broker that goes away, comes back, or was never there."""

import gc
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from kafka import TopicPartition
from kafka_fixtures import KafkaForTests, Start, own_apache_kafka, running_broker, wait_until
from kafka_worlds import Positions, poll_some, take, unknown_name
from patience import PATIENCE

from daemon.adapters.kafka import topics
from daemon.adapters.kafka.fenced import FencedKafkaPublisher
from daemon.adapters.kafka.publisher import KafkaPublisher, MessageTooLarge
from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings, TopicNames
from daemon.adapters.kafka.source import KafkaSource
from daemon.adapters.starting import free_port
from daemon.core.errors import PositionOutsideLog, PublishFailed, SetupProblem
from daemon.core.wire import OutMessage

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """kafka-python logs failed connections as errors and leaves their sockets to the garbage collector."""
    logger = logging.getLogger("kafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [getattr(record, "action", "") for record in caplog.records]
    return [action for action in found if action in ("kafka_unreachable", "kafka_back")]


def test_a_source_waits_for_its_broker_and_reads_on(
    restartable_apache_kafka: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.adapters.kafka.source.PROBE_SECONDS", 0.5)
    broker = restartable_apache_kafka()
    outside = KafkaForTests(broker.broker.bootstrap, "restartable", True)
    settings = outside.settings_with_topic(2)
    positions = Positions()
    source = KafkaSource(settings, positions.locate)
    try:
        outside.produce(settings.topics.items, [b"before"])
        take(source, 1, positions)
        outside.close()
        broker.kill()
        wait_until(lambda: source.poll().records or "kafka_unreachable" in actions(caplog))
        for _ in range(4):
            assert not source.poll().records
            source.keep_alive()
        assert actions(caplog) == ["kafka_unreachable"]  # said once
        assert source.lag() is None
        again = restartable_apache_kafka()
        outside.produce(settings.topics.items, [b"after"], partition=1)
        assert [r.value for r in take(source, 1, positions)] == [b"after"]
        # A broker that starts on a busy machine may answer, and be away once more.
        assert (
            actions(caplog)[:2] == ["kafka_unreachable", "kafka_back"] and actions(caplog)[-1] == "kafka_back"
        )
        outside.close()
        again.kill()
    finally:
        started = monotonic()
        source.close()
        assert monotonic() - started < 8 * PATIENCE  # without a broker, too
        outside.close()


def test_publishing_fails_in_an_outage_and_works_afterwards(restartable_apache_kafka: Start) -> None:
    broker = restartable_apache_kafka()
    outside = KafkaForTests(broker.broker.bootstrap, "restartable", True)
    topic = outside.create_topic()
    publisher = KafkaPublisher(replace(outside.settings, publish_seconds=3.0, connect_seconds=2.0))
    messages = [OutMessage(topic, 0, b"k", b"%d" % n) for n in range(50)]
    try:
        publisher.send(messages[:10])
        outside.close()
        broker.kill()
        for _ in range(2):  # with the old producer, then while opening a new one
            with pytest.raises(PublishFailed):
                publisher.send(messages[10:])
        restartable_apache_kafka()
        wait_until(lambda: sends(publisher, messages[10:]), what="the publisher's recovery")
        read = [record.value for record in outside.read_all(topic, lambda read: len(read) >= 50)]
        assert read == [b"%d" % n for n in range(50)]
    finally:
        publisher.close()
        outside.close()


def test_an_outage_ends_the_claim_and_a_new_one_goes_on(
    restartable_apache_kafka: Start,
) -> None:
    broker = restartable_apache_kafka()
    outside = KafkaForTests(broker.broker.bootstrap, "restartable", True)
    topic = outside.create_topic()
    publisher = FencedKafkaPublisher(replace(outside.settings, publish_seconds=3.0, connect_seconds=2.0))
    try:
        wait_until(lambda: _claimed(publisher), what="a first claim")
        publisher.send([OutMessage(topic, 0, b"k", b"before")])
        outside.close()
        broker.kill()
        with pytest.raises(PublishFailed):
            publisher.send([OutMessage(topic, 0, b"k", b"lost")])
        with pytest.raises(PublishFailed, match="did not let us publish"):
            publisher.claim(1)
        restartable_apache_kafka()
        wait_until(lambda: _claimed(publisher), what="a claim after the outage")
        publisher.send([OutMessage(topic, 0, b"k", b"after")])
        read = outside.read_all(topic, lambda read: len(read) >= 2)
        assert [record.value for record in read] == [b"before", b"after"]
    finally:
        publisher.close()
        outside.close()


def _claimed(publisher: FencedKafkaPublisher) -> bool:
    try:
        return publisher.claim(1)
    except PublishFailed:
        return False


def sends(publisher: KafkaPublisher, messages: list[OutMessage]) -> bool:
    try:
        publisher.send(messages)
    except PublishFailed:
        return False
    return True


@pytest.mark.kafka_only
def test_a_topic_with_a_lower_limit_refuses_what_our_settings_allow(kafka: KafkaForTests) -> None:
    topic = kafka.create_topic(configs={"max.message.bytes": "100000"})
    publisher = KafkaPublisher(kafka.settings)
    try:
        with pytest.raises(MessageTooLarge, match=r"max\.message\.bytes"):
            publisher.send([OutMessage(topic, 0, b"k", os.urandom(200_000))])
        publisher.send([OutMessage(topic, 0, b"k", b"small")])
        assert [r.value for r in kafka.read_all(topic, lambda read: len(read) >= 1)] == [b"small"]
    finally:
        publisher.close()


@pytest.mark.kafka_only
def test_records_deleted_under_a_running_source_stop_it(kafka: KafkaForTests) -> None:
    settings = replace(kafka.settings_with_topic(), fetch_bytes=65_536, partition_fetch_bytes=65_536)
    kafka.produce(settings.topics.items, [os.urandom(60_000) for _ in range(10)])
    source = KafkaSource(settings, Positions().locate, batch_items=1)
    try:
        assert poll_some(source).records[0].offset == 0
        kafka.admin.delete_records({TopicPartition(settings.topics.items, 0): 9})
        with pytest.raises(PositionOutsideLog, match=r"holds offsets 9 to 10; \d messages were deleted"):
            take(source, 9)
    finally:
        source.close()


def test_an_unreachable_broker_is_a_setup_problem() -> None:
    settings = KafkaSettings(bootstrap=f"127.0.0.1:{free_port()}", connect_seconds=1.0)
    for attempt in (
        lambda: KafkaSource(settings, Positions().locate),
        lambda: KafkaPublisher(settings),
        lambda: topics.check_topics(settings),
        lambda: topics.create_topics(settings),
        lambda: topics.ping(settings, 1.0),
    ):
        with pytest.raises(
            SetupProblem, match=r"no broker at 127\.0\.0\.1:\d+ answered .* is a broker running"
        ):
            attempt()


def test_a_missing_bootstrap_is_a_setup_problem() -> None:
    with pytest.raises(SetupProblem, match=r"kafka\.bootstrap is not set"):
        topics.ping(KafkaSettings(), 1.0)


def test_a_missing_topic_is_a_setup_problem(kafka: KafkaForTests) -> None:
    settings = replace(kafka.settings, topics=TopicNames(items=unknown_name()))
    with pytest.raises(SetupProblem, match=rf"{settings.topics.items}.* does not exist; .*create_topics"):
        KafkaSource(settings, Positions().locate)


def test_missing_topics_are_named_then_made_and_the_others_left_alone(kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic(partitions=5)
    problems = topics.check_topics(settings)
    assert len(problems) == 3
    for name, problem in zip(settings.topics.all()[1:], problems, strict=True):
        assert name in problem
        assert "does not exist" in problem
    items = topics.describe(settings)[0]
    assert topics.create_topics(settings) == list(settings.topics.all()[1:])
    assert topics.check_topics(settings) == []
    assert [state.partitions for state in topics.describe(settings)] == [5, 3, 3, 3]
    assert topics.describe(settings)[0] == items
    assert topics.create_topics(settings) == []


SASL = """
listeners=SASL_PLAINTEXT://127.0.0.1:{sasl},PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{sasl},PLAINTEXT://127.0.0.1:{plain}
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="secret";
"""


@pytest.fixture
def with_logins(tmp_path: Path) -> Iterator[str]:
    """Address of a broker that wants a login there."""
    sasl = free_port()
    broker = own_apache_kafka(
        tmp_path, lambda plain: SASL.format(sasl=sasl, plain=plain, controller=free_port())
    )
    running = running_broker(broker, tmp_path / "broker.log")
    yield f"127.0.0.1:{sasl}"
    running.stop()


def test_logins_work_and_a_wrong_password_is_named_as_a_reason(
    with_logins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    security = SecuritySettings("SASL_PLAINTEXT", "PLAIN", "ann", "TEST_KAFKA_PASSWORD")
    settings = KafkaSettings(bootstrap=with_logins, connect_seconds=3.0, security=security)
    monkeypatch.setenv("TEST_KAFKA_PASSWORD", "secret")
    topics.create_topics(settings)
    publisher = KafkaPublisher(settings)
    publisher.send([OutMessage("items", 0, b"k", b"v")])
    publisher.close()
    source = KafkaSource(settings, Positions().locate)
    assert [r.value for r in take(source, 1)] == [b"v"]
    source.close()
    monkeypatch.setenv("TEST_KAFKA_PASSWORD", "wrong")
    with pytest.raises(SetupProblem, match=r"is the password of 'ann' \(in TEST_KAFKA_PASSWORD\) right"):
        KafkaPublisher(settings)
    monkeypatch.delenv("TEST_KAFKA_PASSWORD")
    with pytest.raises(SetupProblem, match="environment variable TEST_KAFKA_PASSWORD is not set"):
        KafkaPublisher(settings)


@pytest.mark.kafka_only
def test_many_small_messages_pass_a_topic_with_a_lower_limit(kafka: KafkaForTests) -> None:
    topic = kafka.create_topic(configs={"max.message.bytes": "150000"})
    publisher = FencedKafkaPublisher(kafka.settings)
    try:
        publisher.claim(1)
        publisher.send([OutMessage(topic, 0, b"k", os.urandom(1_000)) for _ in range(500)])
        assert len(kafka.read_all(topic, lambda read: len(read) >= 500)) == 500
        with pytest.raises(MessageTooLarge, match=r"max\.message\.bytes"):
            publisher.send([OutMessage(topic, 0, b"k", os.urandom(200_000))])
    finally:
        publisher.close()


@pytest.mark.kafka_only
def test_a_topic_that_is_gone_is_named_and_goes_on_once_it_is_there_again(
    kafka: KafkaForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KafkaSettings, "topic_ms", 500)
    topic = kafka.create_topic()
    publisher = FencedKafkaPublisher(replace(kafka.settings, publish_seconds=6.0, group=unknown_name()))
    message = OutMessage(topic, 0, b"k", b"v")

    def refused_by_name() -> bool:
        try:
            publisher.claim(1)
            publisher.send([message])
        except PublishFailed as failed:
            return f"topic '{topic}' is not what it was" in str(failed) and "make it" in str(failed)
        return False

    try:
        publisher.claim(1)
        publisher.send([message])
        kafka.admin.delete_topics([topic])
        wait_until(refused_by_name, what="a refusal that names the topic")
        kafka.create(topic)
        wait_until(lambda: _claimed(publisher) and sends(publisher, [message]), what="one that goes on")
    finally:
        publisher.close()


@pytest.mark.kafka_only
@pytest.mark.parametrize("count", [1, 30], ids=["shorter", "longer"])
def test_a_topic_made_anew_under_a_running_source_is_read_from_its_beginning(
    kafka: KafkaForTests, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("daemon.adapters.kafka.source.PROBE_SECONDS", 0.5)
    settings = kafka.settings_with_topic()
    topic = settings.topics.items
    kafka.produce(topic, [b"%d" % n for n in range(10)])
    positions = Positions()
    source = KafkaSource(settings, positions.locate)
    try:
        take(source, 10, positions)
        kafka.admin.delete_topics([topic])
        wait_until(lambda: not source.poll().records and topic not in kafka.admin.list_topics())
        kafka.create(topic)
        kafka.close()  # its producer knows the old topic
        values = [b"new %d" % n for n in range(count)]
        kafka.produce(topic, values)
        read: list[bytes | None] = []

        def all_read() -> bool:
            batch = source.poll()
            read.extend(record.value for record in batch.records)
            positions.save(batch.spans)
            return read[-count:] == values

        wait_until(all_read, what="all of the new topic, in order")
    finally:
        source.close()
