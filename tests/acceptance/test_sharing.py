"""Workers share the partitions; when one is killed the others take over."""

from pathlib import Path

import pytest
from kafka_fixtures import KafkaForTests, wait_until
from program import item, query, worker_program


@pytest.mark.timeout(240)
def test_two_then_three_workers_share_and_take_over(
    kafka: KafkaForTests, postgres_url: str, tmp_path: Path
) -> None:
    program = worker_program(kafka, tmp_path, postgres_url)
    program.write()
    kafka.create(program.topics["items"], 6)

    def send(first: int, last: int) -> None:
        for partition in range(6):
            kafka.produce(
                program.topics["items"],
                [item(n) for n in range(first, last) if n % 6 == partition],
                partition=partition,
            )

    def stored(count: int) -> None:
        wait_until(
            lambda: query(postgres_url, "select count(*) from items")[0][0] == count,
            60,
            f"{count} stored items; logs:\n{program.logs()}",
        )

    def at_work(count: int) -> None:
        """Until so many workers have read messages lately."""
        sql = "select report from processes where kind = 'run'"
        wait_until(lambda: len(query(postgres_url, sql)) >= count, 60, f"{count} workers\n{program.logs()}")

    try:
        first = program.start("run")
        program.start("run")
        at_work(2)
        send(0, 600)
        stored(600)
        program.start("run")
        at_work(3)
        send(600, 1_200)
        stored(1_200)
        first.kill()
        first.wait()
        send(1_200, 1_800)
        stored(1_800)
    finally:
        program.stop()
