"""What the loop relies on of a Source and a Publisher, in memory and on the broker of this session."""

from collections.abc import Callable, Iterator

import pytest
from kafka_worlds import BrokerWorld, MemoryWorld, Positions, World, poll_some, take

from daemon.adapters.kafka.publisher import MessageTooLarge
from daemon.core.errors import PositionOutsideLog, PublishFailed
from daemon.core.wire import OutMessage, Record

MakeWorld = Callable[[int], World]


@pytest.fixture(params=["memory", "broker"])
def make_world(request: pytest.FixtureRequest) -> Iterator[MakeWorld]:
    if request.param == "memory":
        yield MemoryWorld
        return
    kafka = request.getfixturevalue("kafka")
    made: list[BrokerWorld] = []

    def make(partitions: int) -> World:
        made.append(BrokerWorld(kafka, partitions))
        return made[-1]

    yield make
    for world in made:
        world.close()


def values(first: int, after: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, after)]


def test_records_come_in_order_with_their_places_and_content(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce([b"a", None, "grüße".encode()], key=b"key")
    world.produce([b"d"], key=None, headers=(("h", b"x"),))
    records = take(world.source(Positions().locate), 4)
    assert [(r.topic, r.partition, r.offset) for r in records] == [(world.topic, 0, n) for n in range(4)]
    assert [r.value for r in records] == [b"a", None, "grüße".encode(), b"d"]
    assert [r.key for r in records] == [b"key", b"key", b"key", None]
    assert all(r.timestamp > 1_600_000_000_000 for r in records)


def test_spans_join_without_gap_or_overlap(make_world: MakeWorld) -> None:
    world = make_world(3)
    for partition in range(3):
        world.produce(values(0, 70), partition)
    positions = Positions()
    source = world.source(positions.locate, batch_items=16)
    read: list[Record] = []
    while len(read) < 210:
        batch = poll_some(source)
        assert len(batch.records) <= 16
        for span in batch.spans:
            inside = [r.offset for r in batch.records if r.partition == span.partition]
            assert inside == list(range(span.first, span.next))
        positions.save(batch.spans)  # asserts that each starts where the last one ended
        read += batch.records
    assert set(positions.rows.values()) == {70}
    for partition in range(3):
        assert [r.value for r in read if r.partition == partition] == values(0, 70)


def test_empty_polls_have_no_spans(make_world: MakeWorld) -> None:
    world = make_world(1)
    source = world.source(Positions().locate)
    world.produce([b"only"])
    take(source, 1)
    batch = source.poll()
    assert (list(batch.records), list(batch.spans)) == ([], [])


def test_reading_starts_at_the_stored_position(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 10))
    positions = Positions()
    first = world.source(positions.locate)
    take(first, 10)
    first.close()
    positions.move(7)
    assert [r.value for r in take(world.source(positions.locate), 3)] == values(7, 10)


def test_rewind_reads_again_from_the_stored_position(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 40))
    positions = Positions()
    source = world.source(positions.locate, batch_items=10)
    positions.save(poll_some(source).spans)
    lost = poll_some(source)
    source.rewind()
    again = poll_some(source)
    assert again.records[0] == lost.records[0]
    assert again.spans[0].first == lost.spans[0].first == 10


def test_no_batch_has_more_than_it_may(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 40))
    positions = Positions()
    source = world.source(positions.locate, batch_items=3)
    read = []
    for most in (3, 7, 2):
        source.at_most(most)
        batch = poll_some(source)
        positions.save(batch.spans)
        read.append(len(batch.records))
        assert len(batch.records) <= most
    source.at_most(100)
    assert [r.value for r in take(source, 40 - sum(read), positions)] == values(sum(read), 40)


def test_rewind_follows_another_worker_forward(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 40))
    positions = Positions()
    source = world.source(positions.locate, batch_items=10)
    poll_some(source)
    positions.move(35)
    source.rewind()
    assert [r.value for r in take(source, 5, positions)] == values(35, 40)


def test_keep_alive_delivers_and_loses_nothing(make_world: MakeWorld) -> None:
    world = make_world(2)
    world.produce(values(0, 20), 0)
    world.produce(values(0, 20), 1)
    positions = Positions()
    source = world.source(positions.locate, batch_items=5)
    read: list[Record] = []
    while len(read) < 40:
        source.keep_alive()
        batch = poll_some(source)
        source.keep_alive()
        source.keep_alive()
        positions.save(batch.spans)
        read += batch.records
    assert [r.value for r in read if r.partition == 0] == values(0, 20)
    assert [r.value for r in read if r.partition == 1] == values(0, 20)


def test_keep_alive_before_the_first_poll_loses_nothing(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 5))
    positions = Positions()
    source = world.source(positions.locate)
    for _ in range(50):
        source.keep_alive()
    assert positions.asked == []  # the store is asked when the batch at hand is done, by poll
    assert [r.value for r in take(source, 5, positions)] == values(0, 5)


def test_every_partition_is_located_with_the_same_topic_id(make_world: MakeWorld) -> None:
    world = make_world(3)
    positions = Positions()
    source = world.source(positions.locate)
    world.produce([b"x"])
    take(source, 1)
    assert sorted((s.partition, s.beginning) for s in positions.asked) == [(0, 0), (1, 0), (2, 0)]
    assert len({s.topic_id for s in positions.asked}) == 1
    assert {s.topic for s in positions.asked} == {world.topic}


def test_a_topic_made_anew_starts_at_its_beginning(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 10))
    positions = Positions()
    first = world.source(positions.locate)
    take(first, 10, positions)
    first.close()
    world.remake(1)
    world.produce([b"new"])
    assert [r.value for r in take(world.source(positions.locate), 1, positions)] == [b"new"]
    assert sorted(positions.rows.values()) == [1, 10]


def test_lag_counts_what_was_not_delivered(make_world: MakeWorld) -> None:
    world = make_world(2)
    positions = Positions()
    source = world.source(positions.locate, batch_items=4)
    if not world.exact:
        assert source.lag() is None
        return
    world.produce(values(0, 10), 0)
    world.produce(values(0, 10), 1)
    poll_some(source)
    assert source.lag() == 16
    take(source, 16)
    assert source.lag() == 0


@pytest.mark.parametrize(
    "make_world", ["memory", pytest.param("broker", marks=pytest.mark.kafka_only)], indirect=True
)
def test_a_position_that_retention_deleted_stops_with_the_bounds(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 10))
    positions = Positions()
    first = world.source(positions.locate)
    take(first, 10)
    first.close()
    positions.move(2)
    world.trim(6)
    source = world.source(positions.locate)
    with pytest.raises(
        PositionOutsideLog, match=r"position 2 .* 6 to 10; 4 messages were deleted .* next_offset"
    ):
        take(source, 1)


@pytest.mark.parametrize(
    "make_world", ["memory", pytest.param("broker", marks=pytest.mark.kafka_only)], indirect=True
)
def test_a_position_beyond_the_log_stops_with_the_bounds(make_world: MakeWorld) -> None:
    world = make_world(1)
    world.produce(values(0, 10))
    positions = Positions()
    first = world.source(positions.locate)
    take(first, 10)
    first.close()
    positions.move(11)
    source = world.source(positions.locate)
    with pytest.raises(
        PositionOutsideLog, match=rf"{world.topic}.*position 11 .* 0 to 10; the log lost messages"
    ):
        take(source, 1)


def test_published_messages_arrive_whole_and_in_order(make_world: MakeWorld) -> None:
    world = make_world(2)
    headers = (("reason", b"not JSON"), ("offset", b"17"), ("reason", b"twice"))
    sent = [
        OutMessage(world.topic, n % 2, None if n == 3 else b"%d" % n, b"v%d" % n, headers) for n in range(300)
    ]
    world.publisher().send(sent)
    read = world.read(300)
    for partition in (0, 1):
        expected = [(m.partition, m.key, m.value, m.headers) for m in sent if m.partition == partition]
        assert [m for m in read if m[0] == partition] == expected


def test_publishing_nothing_is_fine(make_world: MakeWorld) -> None:
    make_world(1).publisher().send([])


def test_keys_go_where_the_java_client_puts_them(make_world: MakeWorld) -> None:
    world = make_world(10)
    publisher = world.publisher()
    # From the tests of Kafka's Java client: murmur2 of these keys is known there.
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    expected = {key: (known & 0x7FFFFFFF) % 10 for key, known in hashes.items()}
    assert dict(zip(hashes, publisher.partitions(world.topic, [*hashes]), strict=True)) == expected


def test_an_oversized_message_is_refused_and_nothing_before_it_is_sent(make_world: MakeWorld) -> None:
    world = make_world(1)
    publisher = world.publisher()
    small, large = (
        OutMessage(world.topic, 0, b"s", b"small"),
        OutMessage(world.topic, 0, b"big", bytes(5_000_000)),
    )
    with pytest.raises(MessageTooLarge, match=rf"{world.topic}.*b'big'"):
        publisher.send([small, large])
    publisher.send([OutMessage(world.topic, 0, b"k", b"after")])
    assert [m[2] for m in world.read(1)] == [b"after"]


def test_a_partition_that_does_not_exist_fails_and_the_publisher_goes_on(make_world: MakeWorld) -> None:
    world = make_world(1)
    publisher = world.publisher()
    with pytest.raises(PublishFailed):
        publisher.send([OutMessage(world.topic, 5, b"k", b"lost")])
    publisher.send([OutMessage(world.topic, 0, b"k", b"after")])
    assert [m[2] for m in world.read(1)][-1] == b"after"
