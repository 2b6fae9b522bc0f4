"""`labelloop replay --topic`, on the broker of this session."""

import threading
from pathlib import Path
from typing import Any

import pytest
from kafka_fixtures import KafkaForTests
from program import Program, configuration, item
from replay_house import ReplayHouse

from daemon.wiring.replay import chunks


def connected(kafka: KafkaForTests, folder: Path) -> ReplayHouse:
    house = ReplayHouse(folder)
    house.write(kafka={"bootstrap": kafka.bootstrap, "end_offsets_exact": kafka.is_apache})
    return house


def sent(kafka: KafkaForTests, first: int, after: int, topic: str) -> None:
    for partition in range(3):
        numbers = [number for number in range(first, after) if number % 3 == partition]
        kafka.produce(topic, [item(number) for number in numbers], partition=partition)


def test_what_the_topic_held_is_labeled_once_and_no_more(kafka: KafkaForTests, tmp_path: Path) -> None:
    house, topic = connected(kafka, tmp_path), kafka.create_topic(3)
    sent(kafka, 0, 300, topic)
    kafka.produce(topic, [b"no json"], partition=1)
    done = house.replay("--topic", topic, "--rows", "out.jsonl", "--chunk", "40")
    assert done.exit_code == 0, done.output
    assert sorted(row["item"] for row in house.rows()) == sorted(f"item-{number}" for number in range(300))
    (rejected,) = house.rows("out.rejected.jsonl")
    assert rejected["place"] == f"{topic}, partition 1, offset 100" and rejected["reason"] == "not_json"
    house.archive([item(number) for number in range(300)])
    assert house.replay("archive.jsonl", "--rows", "file.jsonl").exit_code == 0
    by_id = {row["item"]: row for row in house.rows("file.jsonl")}
    assert all(row == by_id[row["item"]] for row in house.rows())


def test_a_replay_that_goes_on_ends_where_it_was_to_end(
    kafka: KafkaForTests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, topic = connected(kafka, tmp_path), kafka.create_topic(3)
    sent(kafka, 0, 90, topic)
    keep, ended = chunks.ChunkFolder.keep, threading.Event()

    def ending(self: chunks.ChunkFolder, *kept: Any) -> None:
        if ended.is_set():
            raise KeyboardInterrupt
        ended.set()
        keep(self, *kept)

    with monkeypatch.context() as patched:
        patched.setattr(chunks.ChunkFolder, "keep", ending)
        assert house.replay("--topic", topic, "--rows", "out.jsonl", "--chunk", "10").exit_code == 1
    sent(kafka, 90, 120, topic)
    done = house.replay("--topic", topic, "--rows", "out.jsonl", "--chunk", "10")
    assert "labeled 90 items" in done.stdout and "10 of them earlier" in done.stdout, done.output
    assert sorted(row["item"] for row in house.rows()) == sorted(f"item-{number}" for number in range(90))


def test_an_absent_topic_is_said(kafka: KafkaForTests, tmp_path: Path) -> None:
    house = connected(kafka, tmp_path)
    done = house.replay("--topic", "absent", "--rows", "out.jsonl")
    assert done.exit_code == 2 and "topic 'absent' does not exist" in done.stderr


def test_a_broker_that_is_away_is_tried_again_later(tmp_path: Path) -> None:
    program = Program(tmp_path, configuration("127.0.0.1:1", {}, None, "group"))
    program.config["kafka"]["connect_seconds"] = 1
    program.write()
    # in a process of its own: kafka-python leaves sockets open that found nobody
    done = program.run("replay", "--topic", "items", "--rows", str(tmp_path / "out.jsonl"))
    assert done.returncode == 75 and "no broker at 127.0.0.1:1 answered" in done.stderr
