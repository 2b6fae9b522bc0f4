"""How readers of a topic stand, as /readyz tells it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event

import pytest
from kafka_fixtures import KafkaForTests, wait_until
from kafka_worlds import Positions

from daemon.adapters.kafka.source import KafkaSource
from daemon.core.wire import ReaderStanding


@contextmanager
def polled(*sources: KafkaSource) -> Iterator[None]:
    """Each by a thread of its own: whoever is not polled while its group forms makes it form anew."""
    ended = Event()

    def go_on(source: KafkaSource) -> None:
        while not ended.is_set():
            source.poll()

    with ThreadPoolExecutor(len(sources)) as threads:
        going = [threads.submit(go_on, source) for source in sources]
        try:
            yield
        finally:
            ended.set()
    for one in going:
        one.result()


@pytest.mark.timeout(120)
def test_a_worker_that_is_left_no_partition_has_joined_all_the_same(kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic(1)
    with (
        closing(KafkaSource(settings, Positions().locate, end_offsets_exact=kafka.is_apache)) as one,
        closing(KafkaSource(settings, Positions().locate, end_offsets_exact=kafka.is_apache)) as two,
    ):
        assert one.standing() == ReaderStanding(reachable=True, joined=False, placed=0, waiting=0)

        def shared() -> bool:
            standings = one.standing(), two.standing()
            return all(s.joined for s in standings) and sum(s.placed for s in standings) == 1

        with polled(one, two):
            wait_until(shared, 60, "both in the group")
        assert {s.placed for s in (one.standing(), two.standing())} == {0, 1}
        assert one.standing().waiting == two.standing().waiting == 0
