"""A tier that is answered over Kafka: the real command, a real broker, killed in the middle."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from kafka_fixtures import KafkaForTests
from program import Program
from rows_for_tests import add_items, add_question, all_rows, count

from daemon.adapters.kafka.settings import TopicNames
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, questions
from daemon.adapters.store.stream import StreamRoom
from daemon.core.wire import OutMessage


class House:
    """A configuration with a tier on Kafka, its database and its processes."""

    def __init__(self, folder: Path, database: Database, kafka: KafkaForTests) -> None:
        self.database, self.kafka = database, kafka
        self.topics: TopicNames = kafka.settings.topics
        kafka.create(self.topics.votes, 2)
        names = {name: getattr(self.topics, name) for name in TopicNames.__dataclass_fields__}
        exact = {} if kafka.is_apache else {"end_offsets_exact": False}
        config = {
            "task": {"name": "mail", "classes": ["ham", "spam"]},
            "tiers": {
                "crowd": {"backend": "kafka", "price": 0.01, "lease_seconds": 600, "outstanding": 30},
                "expert": {"final": True},
            },
            "kafka": {
                "bootstrap": kafka.bootstrap,
                "group": f"group-{self.topics.items}",
                "session_seconds": 6,
                "topics": names,
                **exact,
            },
            "database": {"url": database.url.render_as_string(hide_password=False)},
            "encoder": None,
        }
        self.program = Program(folder, config)
        self.program.write()

    def start(self) -> subprocess.Popen[bytes]:
        """One more process that takes votes."""
        return self.program.start("annotate", "crowd")

    def vote(self, votes: Sequence[object], partition: int = 0) -> None:
        """Somebody outside answers."""
        values = [vote if isinstance(vote, bytes) else json.dumps(vote).encode() for vote in votes]
        self.kafka.produce(self.topics.votes, values, partition=partition)

    def until(self, done: Callable[[], object]) -> None:
        """Wait for something; fails if it takes too long, or a process ends by itself."""
        self.program.until_by_living(done, "what these processes are to do")

    def going_out(self, topic: str) -> list[OutMessage]:
        """What `run` would publish on a topic."""
        rows = StreamRoom(self.database, {}).outbox(10_000)
        return [message for row in rows if row.topic == topic for message in row.messages]

    def reasons(self) -> list[str]:
        """Of dead letters."""
        return [dict(one.headers)["reason"].decode() for one in self.going_out(self.topics.dead_letters)]


@pytest.fixture
def house(tmp_path: Path, database: Database, kafka: KafkaForTests) -> Iterator[House]:
    """A house whose processes are gone at the end."""
    made = House(tmp_path, database, kafka)
    try:
        yield made
    finally:
        made.program.stop()


def test_each_vote_is_taken_once_however_often_it_is_sent_and_whoever_dies(house: House) -> None:
    """Positions, answers and dead letters move together: a kill between any two of them cannot be seen.

    One that is told to end does.
    """
    add_items(house.database, [f"i{n}" for n in range(60)])
    ids = [add_question(house.database, f"i{n}", "crowd", price=10_000) for n in range(60)]
    first = house.start()
    house.until(lambda: len(house.going_out(house.topics.questions)) >= 30)
    told = [json.loads(one.value) for one in house.going_out(house.topics.questions)]
    assert {one["question"] for one in told} == set(ids[:30])
    assert all(one["until"] and one["tier"] == "crowd" and one["price"] == 0.01 for one in told)
    votes = [
        {"question": id_, "annotator": f"p{n % 3}", "label": "spam", "seconds": 1, "external": f"v{id_}"}
        for n, id_ in enumerate(ids)
    ]
    house.vote(votes[:20])
    house.until(lambda: count(house.database, answers) >= 5)
    first.kill()
    house.vote(votes[10:40], partition=1)
    house.vote([b"{", {"question": 10**6, "annotator": "p", "label": "spam"}, {**votes[40], "label": "eggs"}])
    second = house.start()
    house.vote(votes[40:])
    house.vote([{"question": ids[0], "annotator": "other", "label": "ham"}], partition=1)
    house.until(lambda: count(house.database, answers) == 60 and len(house.reasons()) >= 4)
    assert sorted(house.reasons()) == ["bad_label", "not_json", "not_open", "unknown_question"]
    assert {row.state for row in all_rows(house.database, questions)} == {"answered"}
    assert len({row.external for row in all_rows(house.database, answers)}) == 60
    house.program.end(second)
