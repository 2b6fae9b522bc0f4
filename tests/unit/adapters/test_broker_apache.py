"""Apache Kafka as a child process: its preparation, and that it keeps what was acknowledged."""

import stat
from pathlib import Path

import pytest
from kafka_fixtures import KafkaForTests, Start

from daemon.adapters.broker.apache import ApacheKafka, find_java, java_version
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem


def fake_java(folder: Path, said: str) -> Path:
    """A JAVA_HOME whose java says this of itself."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\ncat >&2 <<'SAID'\n{said}\nSAID\n")
    java.chmod(java.stat().st_mode | stat.S_IEXEC)
    return java


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ("what?", 0),
    ],
)
def test_java_versions_are_read(said: str, version: int, tmp_path: Path) -> None:
    assert java_version(str(fake_java(tmp_path, said))) == version


def test_an_old_java_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_java(tmp_path, 'openjdk version "11.0.2"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SetupProblem, match="is Java 11; Kafka needs 17"):
        find_java()


def test_no_java_is_a_setup_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupProblem, match="install Java 17"):
        find_java()


def test_a_folder_without_kafka_is_a_setup_problem(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match=r"LABELLOOP_KAFKA_HOME: no Kafka in .*libs should hold"):
        ApacheKafka(tmp_path, tmp_path / "data", free_port()).prepare()


def test_what_was_acknowledged_survives_stop_and_sigkill(
    restartable_apache_kafka: Start,
) -> None:
    first = restartable_apache_kafka()
    outside = KafkaForTests(first.broker.bootstrap, "restartable", True)
    topic = outside.create_topic()
    topic_id = outside.admin.describe_topics([topic])[0]["topic_id"]
    outside.produce(topic, [b"a"])
    outside.close()
    first.stop()
    second = restartable_apache_kafka()
    outside.produce(topic, [b"b"])
    outside.close()
    second.kill()
    restartable_apache_kafka()
    assert [r.value for r in outside.read_all(topic, lambda read: len(read) >= 2)] == [b"a", b"b"]
    assert outside.admin.describe_topics([topic])[0]["topic_id"] == topic_id
    outside.close()
