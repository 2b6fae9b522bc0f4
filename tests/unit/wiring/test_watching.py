"""What processes need to be ready, and how their reports become metrics."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from database_fixtures import blank_sqlite
from metrics_for_tests import Told

from daemon.adapters.kafka.fake import FakeKafka, FakeSource
from daemon.adapters.store.engine import Database
from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.core.metrics import By
from daemon.core.stream import Progress
from daemon.wiring import parts, watching
from daemon.wiring.watching import Alive, MeteredReports


@pytest.fixture
def kafka() -> FakeKafka:
    made = FakeKafka()
    made.create("items", 2)
    return made


@pytest.fixture
def source(kafka: FakeKafka) -> FakeSource:
    return FakeSource(kafka, "items", lambda starts: [start.beginning for start in starts])


def test_a_worker_waits_for_partitions_and_their_positions(source: FakeSource) -> None:
    source.rebalance([])
    assert watching.reading(source) == "no partitions were assigned so far"
    source.rebalance([0, 1])
    assert watching.reading(source) == "2 partitions wait for their stored positions"
    source.poll()
    assert watching.reading(source) == ""


def test_a_worker_without_its_broker_is_not_ready(kafka: FakeKafka, source: FakeSource) -> None:
    source.rebalance([0])
    source.poll()
    kafka.reachable = False
    assert watching.reading(source) == "Kafka does not answer"
    kafka.reachable = True
    assert watching.reading(source) == ""


def test_a_batch_that_is_not_saved_in_time_is_told() -> None:
    now = time.monotonic()
    assert Progress().late(120) == ""
    assert Progress(begun=now - 5).late(120) == ""
    assert Progress(begun=now - 121).late(120).startswith("the batch at hand is not saved after 121 s")


def test_messages_that_wait_while_nothing_is_saved_are_told() -> None:
    now = time.monotonic()
    assert Progress(lag=7, behind=now - 5).late(120) == ""
    assert "no batch was saved" in Progress(lag=7, behind=now - 130).late(120)


def test_a_loop_that_says_nothing_for_long_is_late() -> None:
    assert "has said nothing" in Alive(-1.0)()
    alive = Alive(60.0)
    alive.heard()
    assert alive() == ""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(blank_sqlite(tmp_path / "db"))
    yield made
    made.close()


def test_a_database_that_is_there_answers(database: Database) -> None:
    assert parts.answers(database)() == ""


def test_reports_are_counted_by_what_is_new_in_them_and_handed_on() -> None:
    meter, handed = PrometheusMeter(By.ANNOTATE), []

    def take(report: Mapping[str, object]) -> None:
        handed.append(report)

    reports = MeteredReports(meter, "gpt", Alive(60.0), take)
    first = {"answered": 3, "passed": 1, "late": 0, "asking": 2, "spent": 0.5, "doing": "asking"}
    for report in (first, {**first, "answered": 10, "asking": 0, "spent": 0.75}):
        reports(report)
    told = Told(meter.expose("")[0].decode())
    assert told.get("labelloop_questions_total", tier="gpt", outcome="answered") == 10
    assert told.get("labelloop_questions_total", tier="gpt", outcome="passed") == 1
    assert told.get("labelloop_questions_total", tier="gpt", outcome="late") == 0
    assert told.get("labelloop_questions_total", tier="gpt", outcome="refused") is None
    assert told.get("labelloop_paid_total", tier="gpt") == 0.75
    assert told.get("labelloop_asking", tier="gpt") == 0
    assert len(handed) == 2


@pytest.mark.parametrize(("doing", "rests"), [("asking", 0), ("no money left", 0), ("resting: busy", 1)])
def test_a_tier_that_rests_is_told(doing: str, rests: int) -> None:
    meter = PrometheusMeter(By.ANNOTATE)
    MeteredReports(meter, "gpt", Alive(60.0), lambda _: None)({"doing": doing})
    assert Told(meter.expose("")[0].decode()).get("labelloop_resting", tier="gpt") == rests
