"""One broker for all processes that share the tests of a run; the one that hands the tests out runs it.

A broker that does nothing takes a fiftieth of a core, and starting one takes seconds of both.
"""

import os
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka_fixtures import JAVA_OPTIONS, SHARED, running_broker, session_broker

from daemon.adapters.broker.apache import ApacheKafka
from daemon.adapters.broker.process import wait_ready
from daemon.adapters.starting import free_port

_SHARED: pytest.StashKey["SharedBroker"] = pytest.StashKey()
START_SECONDS = 180.0
"""Processes that begin to collect tests have the cores meanwhile."""


class SharedBroker:
    """A broker that is started beside what goes on here, and runs until `close`.

    Attributes:
        port: where it will listen.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._temporary = tempfile.TemporaryDirectory(prefix="labelloop-kafka-", ignore_cleanup_errors=True)
        self._folder = Path(self._temporary.name)
        self._java, classes = os.environ[JAVA_OPTIONS], self._folder / "classes.jsa"
        # Of this process, and of those that it starts. A file that is not there (yet) is no matter to Java.
        os.environ[JAVA_OPTIONS] = f"{self._java} -XX:SharedArchiveFile={classes}"
        self._done = threading.Event()
        # It ends with the thread that starts it.
        self._thread = threading.Thread(target=self._serve, name="broker")
        self._thread.start()

    def _serve(self) -> None:
        broker = session_broker(self._folder, self.port)
        if isinstance(broker, ApacheKafka):
            self._keep_classes(broker)
        running = running_broker(broker, self._folder / "broker.log")
        self._done.wait()
        running.stop()

    def _keep_classes(self, broker: ApacheKafka) -> None:
        """Run it once for Java to write down what it makes of the classes: brokers that find this, whoever
        starts them, start with two thirds of the work.
        """
        made, first = self._folder / "classes.part", replace(broker, port=free_port())  # nobody knows of it
        first.prepare()
        options = f"{self._java} -XX:ArchiveClassesAtExit={made}"
        with (self._folder / "classes.log").open("wb") as log:
            process = subprocess.Popen(
                first.command(),
                env={**first.environment(), JAVA_OPTIONS: options},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_ready(first, START_SECONDS, lambda: process.poll() is None)
        finally:
            process.terminate()
            process.wait()
        if made.exists():
            made.rename(self._folder / "classes.jsa")

    def close(self) -> None:
        """End it."""
        self._done.set()
        self._thread.join()
        self._temporary.cleanup()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Before the processes of a run start: begin with what they share."""
    if not os.environ.get("LABELLOOP_TEST_BOOTSTRAP"):
        config.stash[_SHARED] = SharedBroker()
        config.add_cleanup(config.stash[_SHARED].close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell one of them where it is."""
    if (shared := node.config.stash.get(_SHARED, None)) is not None:
        node.workerinput[SHARED] = shared.port
