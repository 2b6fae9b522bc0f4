"""A worker whose desk hangs, while its stream goes on, says that it is not ready."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from kafka_fixtures import KafkaForTests, wait_until
from patience import ANSWER_SECONDS
from program import Program, item, worker_program

from daemon.adapters.starting import free_port

STALE_SECONDS = 2.0


@pytest.fixture
def program(kafka: KafkaForTests, postgres_url: str, tmp_path: Path) -> Iterator[Program]:
    made = worker_program(kafka, tmp_path, postgres_url)
    made.config["metrics"] = {"port": free_port(), "stale_seconds": STALE_SECONDS}
    kafka.create(made.topics["items"])
    made.write()
    yield made
    made.stop()


@pytest.fixture
def client(program: Program) -> Iterator[httpx.Client]:
    """Of the worker's page."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{program.config['metrics']['port']}", timeout=ANSWER_SECONDS
    ) as made:
        yield made


def missing(client: httpx.Client) -> dict[str, str] | None:
    """What the worker says is missing; None while it does not serve."""
    try:
        found = client.get("/readyz")
    except httpx.TransportError:
        return None
    said: dict[str, str] = found.json()["missing"]
    assert (found.status_code == 503) is bool(said)
    return said


@pytest.mark.postgres
def test_a_desk_that_hangs_is_told_until_it_goes_on(
    kafka: KafkaForTests, program: Program, client: httpx.Client, postgres_url: str
) -> None:
    program.start("run")
    program.until(lambda: missing(client) == {}, "a ready worker")
    with psycopg.connect(postgres_url) as other, psycopg.connect(postgres_url, autocommit=True) as reader:
        other.execute("LOCK TABLE duties IN ACCESS EXCLUSIVE MODE")
        said = wait_until(lambda: missing(client), 20, "a desk that is missed")
        assert set(said) == {"desk"} and "the desk has said nothing for" in said["desk"]
        kafka.produce(program.topics["items"], [item(1)])
        count = "SELECT count(*) FROM items"
        wait_until(lambda: reader.execute(count).fetchone() == (1,), 20, "the stream goes on beside it")
        other.rollback()
    program.until(lambda: missing(client) == {}, "a desk that is back", 20)
