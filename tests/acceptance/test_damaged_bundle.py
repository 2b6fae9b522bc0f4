"""A worker never decides by models that are damaged: it keeps those before, or begins without any."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from database_fixtures import blank_sqlite
from kafka_fixtures import KafkaForTests, wait_until
from program import item, migrated, worker_program

from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.stream import StreamRoom
from models.bundle import Bundle

GOOD = Bundle.from_priors(("ham", "spam"), {"crowd": 0.8, "expert": 0.95}).to_bytes()
FLIPPED = GOOD[:200] + bytes([GOOD[200] ^ 0x10]) + GOOD[201:]
TRUNCATED = GOOD[: len(GOOD) // 2]


class House:
    """A worker on SQLite, and somebody who promotes what they like."""

    def __init__(self, kafka: KafkaForTests, folder: Path) -> None:
        self.kafka, self.sent = kafka, 0
        self.url = blank_sqlite(folder / "labelloop.db")
        self.program = worker_program(kafka, folder, self.url)
        kafka.create(self.program.topics["items"], 1)
        self.program.write()

    def promote(self, data: bytes) -> int:
        """Have workers follow these bytes."""
        database = Database(self.url)
        try:
            room = LearningRoom(database)
            duty = StreamRoom(database, {}).take_duty("learning", "the test", 60)
            assert duty is not None
            bundle = room.save_bundle(hashlib.sha256(GOOD).hexdigest(), data, None, None)
            room.promote(duty, bundle)
            return bundle
        finally:
            database.close()

    def decided_by(self) -> int | None:
        """The bundle that a new item is labeled by."""
        self.sent += 1
        name = f"item-{self.sent}"
        self.kafka.produce(self.program.topics["items"], [item(self.sent, doubtful_every=1_000_000)])
        read = self.kafka.read_all(
            self.program.topics["labels"],
            lambda records: any(one.key == name.encode() for one in records),
            deadline=60,
        )
        (label,) = [json.loads(one.value) for one in read if one.key == name.encode()]
        bundle: int | None = label["bundle"]
        return bundle

    def follows(self, bundle: int | None) -> None:
        """Items are labeled by this bundle from now on."""
        self.program.until(lambda: self.decided_by() == bundle, f"bundle {bundle}")


@pytest.fixture
def house(kafka: KafkaForTests, tmp_path: Path) -> Iterator[House]:
    made = House(kafka, tmp_path)
    yield made
    made.program.stop()


@pytest.mark.timeout(180)
def test_damaged_models_are_refused_and_those_before_stay_in_use(house: House) -> None:
    worker = house.program.start("run")
    house.program.until(lambda: migrated(house.url), "a database")
    house.follows(None)
    good = house.promote(GOOD)
    house.follows(good)
    for data in (FLIPPED, TRUNCATED):
        said = f"bundle {house.promote(data)} is not used"
        wait_until(lambda said=said: said in house.program.logs_of(worker), 60, said)
        assert house.decided_by() == good
    assert worker.poll() is None
    status = house.program.run("status")
    assert status.returncode == 0, status.stderr
    assert "Traceback" not in house.program.logs_of(worker) + status.stderr

    worker.kill()
    worker.wait()
    again = house.program.start("run")
    house.follows(None)
    assert "labelloop learn --once" in house.program.logs_of(again)
    house.follows(house.promote(GOOD))
