"""One publishes at a time: what a process that slept still sends comes to nothing."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from kafka_fixtures import KafkaForTests

from daemon.adapters.kafka.fake import FakeKafka, FakePublisher
from daemon.adapters.kafka.fenced import FencedKafkaPublisher
from daemon.core.errors import PublishFailed
from daemon.core.publishing import FencedPublisher
from daemon.core.wire import OutMessage


class Memory:
    """A topic in memory."""

    def __init__(self) -> None:
        self.kafka, self.topic = FakeKafka(), "labels"
        self.kafka.create(self.topic)

    def publisher(self) -> FencedPublisher:
        return FakePublisher(self.kafka)

    def values(self, count: int) -> list[bytes | None]:
        return [record.value for record in self.kafka.topics[self.topic].partitions[0].records]


class Broker:
    """A topic on the session's broker."""

    def __init__(self, kafka: KafkaForTests, stack: ExitStack) -> None:
        self.kafka, self.topic, self.settings, self.stack = kafka, kafka.create_topic(), kafka.settings, stack

    def publisher(self) -> FencedPublisher:
        made = FencedKafkaPublisher(self.settings)
        self.stack.callback(made.close)
        return made

    def values(self, count: int) -> list[bytes | None]:
        return [one.value for one in self.kafka.read_all(self.topic, lambda read: len(read) >= count)]


@pytest.fixture(params=["memory", "broker"])
def world(request: pytest.FixtureRequest) -> Iterator[Memory | Broker]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield Memory()
        else:
            yield Broker(request.getfixturevalue("kafka"), stack)


def test_a_publisher_that_slept_cannot_undo_what_its_successor_published(world: Memory | Broker) -> None:
    def label(revision: int) -> list[OutMessage]:
        return [OutMessage(world.topic, 0, b"item", b"revision %d" % revision)]

    sleeper, successor = world.publisher(), world.publisher()
    assert sleeper.claim(1)
    assert not sleeper.claim(1), "claimed for already"
    sleeper.send(label(1))
    assert successor.claim(2)
    successor.send(label(1))  # the sleeper had not told the database
    successor.send(label(2))
    with pytest.raises(PublishFailed):
        sleeper.send(label(1))
    successor.send(label(3))
    assert world.values(4) == [b"revision 1", b"revision 1", b"revision 2", b"revision 3"]


def test_who_was_shut_out_may_claim_again_when_its_turn_comes(world: Memory | Broker) -> None:
    first, second = world.publisher(), world.publisher()
    first.claim(1)
    second.claim(2)
    with pytest.raises(PublishFailed):
        first.send([OutMessage(world.topic, 0, b"item", b"too late")])
    assert first.claim(3)
    first.send([OutMessage(world.topic, 0, b"item", b"in time")])
    with pytest.raises(PublishFailed):
        second.send([OutMessage(world.topic, 0, b"item", b"too late")])
    assert world.values(1) == [b"in time"]
