"""How readers of a topic stand, as /readyz tells it."""

from contextlib import closing

import pytest
from kafka_fixtures import KafkaForTests, wait_until
from kafka_worlds import Positions

from daemon.adapters.kafka.source import KafkaSource
from daemon.core.wire import ReaderStanding


@pytest.mark.timeout(120)
def test_a_worker_that_is_left_no_partition_has_joined_all_the_same(kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic(1)
    with (
        closing(KafkaSource(settings, Positions().locate, end_offsets_exact=kafka.is_apache)) as one,
        closing(KafkaSource(settings, Positions().locate, end_offsets_exact=kafka.is_apache)) as two,
    ):
        assert one.standing() == ReaderStanding(reachable=True, joined=False, placed=0, waiting=0)

        def shared() -> bool:
            one.poll()
            two.poll()
            standings = one.standing(), two.standing()
            return all(s.joined for s in standings) and sum(s.placed for s in standings) == 1

        wait_until(shared, 60, "both in the group")
        assert {s.placed for s in (one.standing(), two.standing())} == {0, 1}
        assert one.standing().waiting == two.standing().waiting == 0
