"""Stretches of a topic, read in no group, on the broker of this session."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from kafka_fixtures import KafkaForTests, wait_until
from kafka_worlds import unknown_name

from daemon.adapters.kafka.log_reader import LogReader
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import SetupProblem


@pytest.fixture
def settings(kafka: KafkaForTests) -> KafkaSettings:
    return replace(kafka.settings, end_offsets_exact=kafka.is_apache)


@pytest.fixture
def reader(settings: KafkaSettings) -> Iterator[LogReader]:
    made = LogReader(settings)
    yield made
    made.close()


def values(first: int, after: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, after)]


def test_what_a_topic_holds_now_is_told_by_partition(kafka: KafkaForTests, reader: LogReader) -> None:
    topic = kafka.create_topic(3)
    kafka.produce(topic, values(0, 30), partition=0)
    kafka.produce(topic, values(0, 5), partition=2)
    stretches = reader.stretches(topic)
    assert [(one.partition, one.start, one.end) for one in stretches] == [(0, 0, 30), (1, 0, 0), (2, 0, 5)]
    assert len({one.topic_id for one in stretches}) == 1 and stretches[0].topic_id


def test_stretches_are_read_in_any_order_and_end_where_they_were_said_to(
    kafka: KafkaForTests, reader: LogReader
) -> None:
    topic = kafka.create_topic(2)
    for partition in range(2):
        kafka.produce(topic, values(0, 40), partition=partition)
    for partition, start, end in [(1, 10, 25), (0, 0, 40), (1, 0, 10), (1, 39, 40)]:
        read = reader.read(topic, partition, start, end)
        assert [(r.partition, r.offset, r.value) for r in read] == [
            (partition, number, b"%d" % number) for number in range(start, end)
        ]
    assert reader.read(topic, 0, 40, 40) == []


def test_no_group_hears_of_it(kafka: KafkaForTests, reader: LogReader, settings: KafkaSettings) -> None:
    topic = kafka.create_topic(1)
    kafka.produce(topic, values(0, 5))
    assert len(reader.read(topic, 0, 0, 5)) == 5
    groups = kafka.admin.list_groups() if hasattr(kafka.admin, "list_groups") else []
    assert settings.group not in str(groups)


def test_a_topic_that_does_not_exist_is_said(reader: LogReader) -> None:
    with pytest.raises(SetupProblem, match="does not exist"):
        reader.stretches(unknown_name())


@pytest.mark.kafka_only
def test_what_retention_took_is_said(kafka: KafkaForTests, reader: LogReader) -> None:
    from kafka import TopicPartition

    topic = kafka.create_topic(1)
    kafka.produce(topic, values(0, 20))
    kafka.admin.delete_records({TopicPartition(topic, 0): 10})
    wait_until(lambda: reader.stretches(topic)[0].start == 10, what="the log's new beginning")
    with pytest.raises(SetupProblem, match="retention has overtaken"):
        reader.read(topic, 0, 0, 20)
    assert len(reader.read(topic, 0, 10, 20)) == 10


@pytest.mark.kafka_only
def test_transactions_leave_gaps_and_what_was_aborted_is_not_read(
    kafka: KafkaForTests, reader: LogReader
) -> None:
    from kafka import KafkaProducer

    topic = kafka.create_topic(1)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"of-{topic}")
    try:
        producer.init_transactions()
        for commits in (True, False, True):
            producer.begin_transaction()
            producer.send(topic, b"kept" if commits else b"aborted", partition=0)
            producer.flush()
            (producer.commit_transaction if commits else producer.abort_transaction)()
    finally:
        producer.close()
    (stretch,) = reader.stretches(topic)
    assert stretch.end == 6, "three messages and the ends of three transactions"
    read = reader.read(topic, 0, stretch.start, stretch.end)
    assert [record.value for record in read] == [b"kept", b"kept"]
    assert reader.read(topic, 0, 5, 6) == [], "a marker alone"
