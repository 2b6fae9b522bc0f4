"""The broker goes away in mid-stream: the worker waits, people go on answering, nothing is lost."""

from pathlib import Path

import pytest
from database_fixtures import blank_sqlite
from kafka_fixtures import KafkaForTests, Start, wait_until
from program import Program, configuration, item, published

from benchmarks.past_the_program import query
from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom

TOPICS = {"items": "items", "labels": "labels", "questions": "questions", "dead_letters": "dead-letters"}


@pytest.mark.timeout(240)
def test_an_outage_delays_and_nothing_else(restartable_apache_kafka: Start, tmp_path: Path) -> None:
    broker = restartable_apache_kafka()
    bootstrap = broker.broker.bootstrap
    kafka = KafkaForTests(bootstrap, "Apache Kafka", is_apache=True)
    url = blank_sqlite(tmp_path / "labelloop.db")
    program = Program(tmp_path, configuration(bootstrap, TOPICS, url, "outage"))
    program.config["guarantee"]["cold_start_gold"] = 0
    program.config["kafka"]["publish_seconds"] = 3
    program.write()
    try:
        worker = program.start("run")
        wait_until(
            lambda: "partitions_placed" in program.logs() or "reading" in program.logs(), 60, "a worker"
        )
        kafka.produce("items", [item(n) for n in range(500)])
        program.until(lambda: program.stored == 500, "500 items")
        kafka.close()
        broker.kill()
        answered = answer_all(url)
        assert answered > 10
        program.until(lambda: "publish_failed" in program.logs(), "a warning")
        assert worker.poll() is None
        restartable_apache_kafka()
        kafka = KafkaForTests(bootstrap, "Apache Kafka", is_apache=True)
        kafka.produce("items", [item(n) for n in range(500, 1_000)])
        program.until(lambda: program.stored == 1_000, "1,000 items")
        expected = dict(query(url, "select id, revision from items"))
        assert sum(revision > 1 for revision in expected.values()) == answered

        def complete(read: list) -> bool:
            seen = published(read)
            return {name: max(found) for name, found in seen.revisions.items()} == expected

        assert published(kafka.read_all("labels", complete)).contradictions == []
        assert worker.poll() is None
        kafka.close()
    finally:
        program.stop()


def answer_all(url: str) -> int:
    """One person answers everything that the crowd is asked; number of answers."""
    database = Database(url)
    try:
        room = QuestionRoom(database)
        ann = room.enroll("ann", "crowd").id
        done = 0
        while leases := room.lease(ann, "crowd", 20, 60.0):
            for lease in leases:
                room.answer(lease.question, ann, 1, 1.0)
                done += 1
        return done
    finally:
        database.close()
