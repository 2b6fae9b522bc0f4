"""What control questions ask about: the newest known labels, read beside leases."""

import random
import threading
from collections.abc import Iterator

import pytest
from kafka_fixtures import wait_until
from rows_for_tests import add_annotator, add_answer, add_items
from sqlalchemy import insert, select

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.first_answers import first_labels, newest_labels
from daemon.adapters.store.known_items import KNOWN_SECONDS, STALE_SECONDS, Known, KnownItems
from daemon.adapters.store.schema import answers

FINAL = frozenset({"expert", "judge"})
PLACES = ("expert", "person"), ("judge", "person"), ("crowd", "person"), ("expert", "llm"), (None, "person")


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("seed", range(4))
def test_the_newest_labels_are_those_of_the_whole_computation(database: Database, seed: int) -> None:
    """Also where several experts answered an item, and the first of them took the answer back."""
    drawn = random.Random(seed)
    people = [
        add_annotator(database, f"{tier}-{kind}-{number}", tier, kind)
        for tier, kind in PLACES
        for number in range(3)
    ]
    pairs = [(item, person) for item in range(60) for person in people]
    row = {"purpose": "settle", "at": 1}
    with database.write() as connection:
        made = [
            {
                **row,
                "item": f"i{item}",
                "annotator": person,
                "labels": bytes([drawn.randrange(2)]),
                "retracted_at": drawn.choice((None, None, 5)),
            }
            for item, person in drawn.sample(pairs, 300)
        ]
        connection.execute(insert(answers), made)
    whole = first_labels(FINAL)
    with database.read() as connection:
        for count in (1, 7, 1_000):
            wanted = select(whole).order_by(whole.c.id.desc()).limit(count)
            newest = connection.execute(newest_labels(FINAL, count)).all()
            assert newest == connection.execute(wanted).all()
            assert 0 < len(newest) <= count


@pytest.fixture(autouse=True)
def nothing_under_way(database: Database) -> Iterator[None]:
    """What is still being read ends before the database is closed."""
    yield
    for thread in threading.enumerate():
        if thread.name == "known items":
            thread.join(10)


def asked_about(known: KnownItems, database: Database) -> list[Known]:
    with database.read() as connection:
        return known.get(connection, answered=True)


def test_the_list_is_read_again_beside_leases_and_not_within(database: Database) -> None:
    add_items(database, ["a", "b", "c"])
    ann, clock = add_annotator(database, "ann"), Clock()
    known = KnownItems(FINAL, clock)
    add_answer(database, "a", ann, 1)
    first = [Known("a", bytes([1]))]
    assert asked_about(known, database) == first
    add_answer(database, "b", ann, 0)
    known.renew(database)
    assert asked_about(known, database) == first, "it is not old"
    clock.now += KNOWN_SECONDS + 1
    assert asked_about(known, database) == first, "whoever leases does not wait for it"
    known.renew(database)
    wait_until(lambda: len(asked_about(known, database)) == 2, 10, "the answer to the second item is known")
    assert asked_about(known, database)[0] == Known("b", bytes([0])), "the newest first"
    add_answer(database, "c", ann, 0)
    clock.now += STALE_SECONDS + 1
    assert len(asked_about(known, database)) == 3, "after a long pause nobody goes by what was"


def test_while_the_database_is_away_the_list_stands(database: Database) -> None:
    add_items(database, ["a", "b"])
    ann, clock = add_annotator(database, "ann"), Clock()
    known = KnownItems(FINAL, clock)
    add_answer(database, "a", ann, 1)
    assert len(asked_about(known, database)) == 1
    add_answer(database, "b", ann, 1)
    clock.now += KNOWN_SECONDS + 1
    known.renew(Database("postgresql://nobody@127.0.0.1:1/nothing", MovableClock()))
    assert len(asked_about(known, database)) == 1

    def is_new() -> bool:
        known.renew(database)
        return len(asked_about(known, database)) == 2

    wait_until(is_new, 10, "who leases next has it read again")
