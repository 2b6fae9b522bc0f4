"""A worker whose network drops everything, on its way to Kafka, then to PostgreSQL: nobody waits for it."""

import random
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import reader
from chaos import missing
from divided_house import FAR, NEAR, TO_KAFKA, TO_POSTGRES, DividedHouse
from far_room import FarRoom, missing_network
from feed import Feed
from house import START_SECONDS
from kafka_fixtures import kafka_home, wait_until
from private_postgres import server_binaries
from program import FUNCTIONS

from daemon.core.errors import PartAway

SECONDS = 300
BURST = 400
OTHERS_SECONDS = 60.0
"""In which the near worker has taken over and done everything: a session of the group, or what PostgreSQL's
two ends wait for each other, and some seconds."""
BACK_SECONDS = 60.0
"""In which a healed worker is at work again."""
TRIES = 20
WORKERS = {name: (("run",), {}) for name in (NEAR, FAR)}
CHECKS = (
    reader.items_are_there_once,
    reader.labels_are_current,
    reader.questions_are_single,
    reader.dead_letters_are_complete,
)
"""What must hold while nobody answers."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DividedHouse]:
    home, binaries = kafka_home(), server_binaries()
    if (lacking := missing() or missing_network()) or home is None or binaries is None:
        pytest.skip(str(lacking))
    with (
        FarRoom((TO_KAFKA, TO_POSTGRES)) as room,
        DividedHouse(tmp_path, home, binaries, FUNCTIONS, WORKERS, with_mlflow=False, room=room) as house,
    ):
        yield house


@pytest.mark.kafka_only
@pytest.mark.postgres
@pytest.mark.timeout(SECONDS)
def test_a_worker_that_is_cut_off_holds_nobody_up_and_nothing_is_lost(house: DividedHouse) -> None:
    house.wait(lambda: house.count("SELECT count(*) FROM positions") > 0, START_SECONDS, "topics")
    feed = Feed(house.bootstrap, random.Random(5), 0.0)
    for line in (TO_KAFKA, TO_POSTGRES):
        both_work(house, feed)
        cut(house, feed, line)
        others_do_everything(house, feed)
        house.room.heal(line)
    both_work(house, feed)
    others_do_everything(house, feed)
    assert set(house.fallen) <= {(FAR, PartAway.exit_code)}, house.program.logs()
    nobody = reader.Sent({f"item-{n}" for n in range(feed.sent)}, feed.spoiled, (), {}, target=0.05)
    found = reader.read(house.url, house.bootstrap, nobody)
    assert [problem for check in CHECKS for problem in check(found)] == []


def both_work(house: DividedHouse, feed: Feed) -> None:
    """Feed them until each has stored something since now."""
    before = {name: (house.processes[name].pid, house.done_by(name)) for name in WORKERS}

    def has_worked(name: str) -> bool:
        pid, items = before[name]
        return house.done_by(name) > (items if house.processes[name].pid == pid else 0)

    def all_worked() -> bool:
        done = feed.sent == house.stored()
        if done:
            feed.burst(BURST)
            feed.flush()
        return all(has_worked(name) for name in WORKERS)

    house.wait(all_worked, BACK_SECONDS, "work of both")


def cut(house: DividedHouse, feed: Feed, line: str) -> None:
    """Cut it while the far worker is at work; from PostgreSQL in a transaction that has locks."""
    far = house.room.lines[TO_POSTGRES].far_address
    with psycopg.connect(house.url, autocommit=True) as connection:
        for _ in range(TRIES):
            feed.burst(BURST)
            feed.flush()
            wait_until(
                lambda: "writes" in sessions(connection, far), OTHERS_SECONDS, "a transaction", longest_rest=0
            )
            house.room.cut(line)
            if line != TO_POSTGRES:
                return
            wait_until(lambda: "works" not in sessions(connection, far), 10, "the end of what had arrived")
            if "writes" in sessions(connection, far):
                return
            house.room.heal(line)
    pytest.fail(f"no transaction was caught in {TRIES} tries")


def sessions(connection: psycopg.Connection, address: str) -> set[str]:
    """Of those from there: whether one `writes`, in a transaction with changes, and one `works` just now."""
    found = connection.execute(
        "SELECT backend_xid IS NOT NULL, wait_event = 'ClientRead' FROM pg_stat_activity"
        " WHERE client_addr = %s",
        (address,),
    ).fetchall()
    writes = {"writes" for changed, _ in found if changed}
    return writes | {"works" for _, waits in found if not waits}


def others_do_everything(house: DividedHouse, feed: Feed) -> None:
    """What is sent now, to all partitions, is stored and published."""
    feed.burst(BURST)
    feed.flush()
    house.wait(lambda: house.stored() >= feed.sent, OTHERS_SECONDS, "items of all partitions")
    house.wait(
        lambda: all(house.count(reader.LEFT[what]) == 0 for what in ("rows of the outbox", "rechecks")),
        OTHERS_SECONDS,
        "everything published",
    )
