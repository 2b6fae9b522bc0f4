"""Keys find the partition that Kafka's own clients choose."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2

from daemon.adapters.kafka.partitioning import partitions_of


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 1_000))
def test_keys_go_where_kafka_python_puts_them(keys: list[bytes], partitions: int) -> None:
    assert partitions_of(keys, partitions) == [(murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]
