"""Apache Kafka as one node on loopback, from a distribution folder; keeps its data on disk."""

import base64
import os
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from daemon.adapters.broker.process import refuse_taken_port
from daemon.adapters.starting import HOST, free_port, with_parent
from daemon.core.errors import SetupProblem

MIN_JAVA = 17

PROPERTIES = """\
# Written at every start: one node, broker and controller, on loopback only.
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={host}:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}/log
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
{extra}"""

LOGGING = """\
Configuration:
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "[%d] %p %m (%c)%n"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        - ref: STDOUT
"""


@dataclass(frozen=True, slots=True)
class ApacheKafka:
    """One Kafka node (KRaft).

    Attributes:
        home: folder of a Kafka distribution; its jars are in `libs`.
        data: folder for configuration and log; formatted at the first start, kept between starts.
        port: on loopback.
        extra: more lines for server.properties.
    """

    home: Path
    data: Path
    port: int
    extra: str = ""

    @property
    def bootstrap(self) -> str:
        """Where clients reach it."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the configuration, and format the data folder if it is new. Raises SetupProblem."""
        if not any((self.home / "libs").glob("kafka_*.jar")):
            raise SetupProblem(
                f"LABELLOOP_KAFKA_HOME: no Kafka in {self.home}; its folder libs should hold kafka_*.jar"
            )
        refuse_taken_port(self.port)
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "log4j2.yaml").write_text(LOGGING)
        self._properties.write_text(
            PROPERTIES.format(
                host=HOST,
                port=self.port,
                controller_port=free_port(),
                data=self.data.resolve().as_posix(),
                extra=self.extra,
            )
        )
        if not (self.data / "log" / "meta.properties").exists():
            self._format()

    def command(self) -> list[str]:
        """What to run, after `prepare`. Raises SetupProblem without Java."""
        small = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC"]
        return with_parent([*self._java(small), "kafka.Kafka", str(self._properties)])

    def environment(self) -> dict[str, str]:
        """Ours."""
        return dict(os.environ)

    @property
    def _properties(self) -> Path:
        return self.data / "server.properties"

    def _java(self, options: list[str]) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.data / 'log4j2.yaml'}"
        return [find_java(), *options, logging, "-cp", f"{self.home / 'libs'}/*"]

    def _format(self) -> None:
        tool = [*self._java(["-XX:TieredStopAtLevel=1"]), "kafka.tools.StorageTool", "format", "--standalone"]
        done = subprocess.run(
            [*tool, "-t", _cluster_id(), "-c", str(self._properties)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise SetupProblem(f"Kafka could not format {self.data}: {(done.stderr or done.stdout)[-2_000:]}")


def find_java() -> str:
    """Path of a Java of version 17 or newer: JAVA_HOME's, else the one on PATH. Raises SetupProblem."""
    home = os.environ.get("JAVA_HOME")
    path = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if path is None or not Path(path).exists():
        raise SetupProblem(f"no Java found for Kafka; install Java {MIN_JAVA} or newer, or set JAVA_HOME")
    version = java_version(path)
    if version < MIN_JAVA:
        raise SetupProblem(f"{path} is Java {version}; Kafka needs {MIN_JAVA} or newer (set JAVA_HOME)")
    return path


@cache
def java_version(path: str) -> int:
    """Major version that this Java states; 0 if it cannot be read. Asked once a process."""
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    found = re.search(r'version "(\d+)(?:\.(\d+))?', said)
    if found is None:
        return 0
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


def _cluster_id() -> str:
    """16 random bytes in url-safe base64; Kafka's tool takes one that starts with '-' for an option."""
    made = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    return _cluster_id() if made.startswith("-") else made
