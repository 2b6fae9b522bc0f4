"""`labelloop send` puts checked items on the topic, and says which line is none."""

import json
from pathlib import Path

from kafka_fixtures import KafkaForTests
from program import Program, configuration, item


def test_lines_arrive_and_a_wrong_one_is_named(kafka: KafkaForTests, tmp_path: Path) -> None:
    settings = kafka.settings
    topics = {"items": settings.topics.items}
    program = Program(tmp_path, configuration(kafka.bootstrap, topics, None, settings.group))
    program.write()
    kafka.create(settings.topics.items, 2)
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join([item(1), b"", item(2), b'{"id": "x"}', item(3)]))
    done = program.run("send", str(file))
    assert done.returncode == 2
    assert "items.jsonl, line 4: wrong_shape" in done.stderr
    file.write_bytes(b"\n".join([item(4), item(5)]))
    done = program.run("send", str(file))
    assert "sent 2 items" in done.stdout
    records = kafka.read_all(settings.topics.items, lambda read: len(read) >= 2)
    assert {json.loads(record.value)["id"] for record in records} == {"item-4", "item-5"}


def test_without_a_broker_it_says_what_to_do(tmp_path: Path) -> None:
    program = Program(tmp_path, configuration("", {}, None, "group"))
    del program.config["kafka"]
    program.write()
    file = tmp_path / "items.jsonl"
    file.write_bytes(item(1))
    done = program.run("send", str(file))
    assert done.returncode == 2
    assert "labelloop up" in done.stderr
