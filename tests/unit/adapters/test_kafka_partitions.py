"""Keys find the partition that Kafka's own clients choose."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2

from daemon.adapters.kafka.publisher import partition_of


@given(st.binary(max_size=40), st.integers(1, 1_000))
def test_a_key_goes_where_kafka_python_puts_it(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
