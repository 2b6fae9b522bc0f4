"""Each thing that can be wrong ends in a message that helps, and loses nothing."""

import json
from pathlib import Path

import pytest
from database_fixtures import blank_sqlite
from kafka_fixtures import KafkaForTests, wait_until
from program import FUNCTIONS, Program, migrated, worker_program

from benchmarks.past_the_program import query

BROKEN_FUNCTIONS = (
    FUNCTIONS
    + """

@labeling_function
def raises(x):
    raise RuntimeError("no luck today")


@labeling_function
def unknown_class(x):
    return 7
"""
)


@pytest.fixture
def program(kafka: KafkaForTests, tmp_path: Path) -> Program:
    made = worker_program(kafka, tmp_path, blank_sqlite(tmp_path / "labelloop.db"))
    made.write()
    return made


def test_an_unreachable_broker_is_named(program: Program) -> None:
    program.config["kafka"].update(bootstrap="127.0.0.1:1", connect_seconds=2)
    program.write()
    done = program.run("run")
    assert done.returncode == 75
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_topic_is_named(program: Program) -> None:
    program.config["kafka"]["create_topics"] = False
    program.write()
    done = program.run("run")
    assert done.returncode == 2
    assert program.topics["items"] in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "exit_code"), [("nonsense", 2), ("postgresql://nobody:x@127.0.0.1:1/none", 75)]
)
def test_a_wrong_database_is_named(program: Program, url: str, exit_code: int) -> None:
    program.config["database"]["url"] = url
    program.write()
    done = program.run("run")
    assert done.returncode == exit_code
    assert "database" in done.stderr
    assert "Traceback" not in done.stderr


def test_failing_functions_abstain_and_are_counted_and_bad_messages_are_kept(
    kafka: KafkaForTests, program: Program
) -> None:
    topics = program.topics
    program.write(BROKEN_FUNCTIONS)
    kafka.create(topics["items"], 1, {"max.message.bytes": "6000000"} if kafka.is_apache else None)
    big = json.dumps({"id": "big", "text": "x" * 5_000_000}).encode()
    values = [
        json.dumps({"id": "good", "text": "win a prize now"}).encode(),
        b'{"id": "bad-utf8", "text": "\xff"}',
        b'{"id": "no text"}',
        json.dumps({"id": "good", "text": "something else"}).encode(),
        json.dumps({"id": "last", "text": "hello friend"}).encode(),
    ]
    values += [big] if kafka.is_apache else []
    try:
        program.start("run")
        kafka.produce(topics["items"], values)
        url = program.config["database"]["url"]
        wait_until(lambda: migrated(url), 60, "a database")
        wait_until(lambda: _counter(url, "function_failure:raises") == 2, 60, "two failures")
        assert _counter(url, "function_failure:unknown_class") == 2
        wanted = 4 if kafka.is_apache else 3
        letters = kafka.read_all(topics["dead_letters"], lambda read: len(read) >= wanted)
        headers = [dict(letter.headers) for letter in letters]
        reasons = sorted(header["reason"].decode() for header in headers)
        assert reasons == sorted(
            ["not_utf8", "wrong_shape", "id_conflict"] + (["too_large"] if kafka.is_apache else [])
        )
        assert {name for (name,) in query(url, "select id from items")} == {"good", "last"}
        for header in headers:
            if header["reason"] == b"too_large":
                assert header["bytes"] == str(len(big)).encode()
    finally:
        program.stop()


def test_a_storm_of_bad_messages_stops_the_worker(kafka: KafkaForTests, program: Program) -> None:
    topics = program.topics
    kafka.create(topics["items"], 1)
    kafka.produce(topics["items"], [b"rubbish"] * 300)
    done = program.run("run")
    assert done.returncode == 2
    assert "dead_letter_limit" in done.stderr
    assert "not_json" in done.stderr


def _counter(url: str, name: str) -> int:
    found = query(url, "select name, value from counters")
    return dict(found).get(name, 0)
