"""`labelloop up`: worker, learner, review and whatever is embedded, as one tree of processes."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daemon.adapters.broker.apache import ApacheKafka
from daemon.adapters.broker.embedded import SESSION_SECONDS, EmbeddedBroker
from daemon.adapters.broker.process import wait_ready
from daemon.adapters.llm_server import LlmServer
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import shown
from daemon.adapters.starting import free_port
from daemon.adapters.store.accounts import AccountRoom
from daemon.wiring import accounts, check_outside, endpoints, parts
from daemon.wiring.annotate import check_ready
from daemon.wiring.config import Config
from daemon.wiring.network import Ports, wait_for_page
from daemon.wiring.supervisor import Child, StateLock, Supervisor

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
KAFKA_PORT, MLFLOW_PORT, LLM_PORT = 9_092, 5_000, 8_080
"""Where embedded parts listen if nobody else does."""
LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Running:
    """Where things are found while `up` runs."""

    bootstrap: str
    mlflow: str
    review: str
    environment: Mapping[str, str]
    """What child processes are told on top of the configuration file."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Process -> address of its metrics, where these are served."""


class House:
    """Everything that `up` starts, for one configuration and one state folder."""

    def __init__(
        self,
        config: Config,
        file: Path,
        kafka_home: Path | None,
        ports: Ports,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        self._file = file
        self._overrides = dict(overrides or {})
        self._kafka_home = kafka_home
        self._ports = ports
        self._started = round(time.time())
        self._metrics: dict[str, str] = {}
        self._lock = StateLock(config.state)
        self._supervisor = Supervisor(config.state / "logs", self._lock)

    def start(self) -> Running:
        """Start what the rest needs, wait for it, then the rest.

        Raises:
            SetupProblem: a key or a template of a language model, or the local one, is not there; nothing was
                started. Others could reach the pages and nobody could sign in. A process cannot be kept up.
        """
        config = self._config
        for tier in config.llm_tiers:
            check_ready(config, tier)
        check_outside.check_ready(config)
        environment = dict(self._overrides)
        self._open_database()
        bootstrap = config.kafka.bootstrap or self._start_broker(environment)
        mlflow = shown(config.mlflow.uri) if config.mlflow.uri else self._start_mlflow(environment)
        if config.local_endpoints:
            self._start_language_model()
        self._supervisor.wait_ready()
        for name in ("run", "review", "learn"):
            self._supervisor.start(self._own(name, environment))
        for tier in (*config.llm_tiers, *config.outside_tiers):
            self._supervisor.start(self._annotate(tier, environment))
        review = f"http://{config.review.host}:{config.review.port}"
        wait_for_page(f"{review}/healthz", 60, self._supervisor.watch)
        endpoints.write(config.state, endpoints.BROKER, bootstrap)
        endpoints.write(config.state, endpoints.MLFLOW, mlflow)
        return Running(bootstrap, mlflow, review, environment, self._metrics)

    def watch(self) -> None:
        """Look after the processes once; raises SetupProblem when one cannot be kept running."""
        self._supervisor.watch()

    def processes(self) -> dict[str, int]:
        """Name -> process id."""
        return self._supervisor.processes()

    def stop(self) -> None:
        """End everything, the embedded broker last."""
        endpoints.forget(self._config.state)
        self._supervisor.stop()
        self._ports.release()
        self._lock.release()

    def _open_database(self) -> None:
        database = parts.open_database(self._config)
        try:
            accounts.check_reachable(AccountRoom(database), self._config.review)
        finally:
            database.close()

    def _start_broker(self, environment: dict[str, str]) -> str:
        port = self._ports.take(KAFKA_PORT)
        broker: ApacheKafka | EmbeddedBroker
        if self._kafka_home is not None:
            broker = ApacheKafka(self._kafka_home, self._config.state / "kafka", port)
        else:
            broker = EmbeddedBroker(port)
            environment["LABELLOOP_KAFKA__END_OFFSETS_EXACT"] = "false"
            environment["LABELLOOP_KAFKA__SESSION_SECONDS"] = str(SESSION_SECONDS)
        broker.prepare()
        self._supervisor.start(
            Child(
                "broker",
                broker.command(),
                broker.environment(),
                ready=lambda alive: wait_ready(broker, 60, alive),
                restart=self._kafka_home is not None,
            )
        )
        environment["LABELLOOP_KAFKA__BOOTSTRAP"] = broker.bootstrap
        environment["LABELLOOP_KAFKA__CREATE_TOPICS"] = "true"
        return broker.bootstrap

    def _start_mlflow(self, environment: dict[str, str]) -> str:
        server = MlflowServer(self._config.state / "mlflow", self._ports.take(MLFLOW_PORT))
        server.prepare()
        self._supervisor.start(
            Child(
                "mlflow",
                server.command(),
                server.environment(),
                ready=lambda alive: server.wait_ready(120, alive),
            )
        )
        environment["LABELLOOP_MLFLOW__URI"] = server.uri
        return server.uri

    def _start_language_model(self) -> None:
        server = LlmServer(self._ports.take(LLM_PORT))
        server.prepare()
        self._supervisor.start(
            Child(
                "language-model",
                server.command(),
                server.environment(),
                ready=lambda alive: server.wait_ready(120, alive),
            )
        )
        endpoints.write(self._config.state, endpoints.LANGUAGE_MODEL, server.base_url)

    def _own(self, name: str, environment: Mapping[str, str]) -> Child:
        return Child(name, self._command(name), {**environment, **self._watched(name)}, grace=30.0)

    def _annotate(self, tier: str, environment: Mapping[str, str]) -> Child:
        # One run, however often the process must be started again: its cap holds all the while.
        command = [*self._command("annotate"), tier, "--run", f"{parts.holder('up')}-{self._started}"]
        name = f"annotate-{tier}"
        return Child(name, command, {**environment, **self._watched(name)}, grace=30.0)

    def _watched(self, name: str) -> dict[str, str]:
        """A port for the metrics of each process: the one configured and those after it, where free."""
        first = self._config.metrics.port
        if first is None or name == "review":
            return {}
        wanted = first + len(self._metrics)
        port = self._ports.take(wanted) if first and wanted <= LAST_PORT else free_port()
        self._metrics[name] = f"http://{self._config.metrics.host}:{port}/metrics"
        return {"LABELLOOP_METRICS__PORT": str(port)}

    def _command(self, name: str) -> list[str]:
        return [sys.executable, "-P", "-m", "daemon.cli", name, "-c", str(self._file)]


def main(config: Config, file: Path, kafka_home: Path | None) -> None:
    """Run everything until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(wanted, lambda *_: stop.set())
    house = House(config, file, kafka_home, Ports())
    try:
        running = house.start()
        print(_welcome(config, file, running), flush=True)
        while not stop.wait(WATCH_SECONDS):
            house.watch()
        print("stopping; items not yet read stay in Kafka", flush=True)
    finally:
        house.stop()


def _welcome(config: Config, file: Path, running: Running) -> str:
    return (
        f"labelloop is up for task {config.task.name!r}\n"
        f"  dashboard  {running.review}/dashboard\n"
        f"  review     {running.review}/review\n"
        f"  MLflow     {running.mlflow}\n"
        f"  Kafka      {running.bootstrap}   send JSON to topic {config.kafka.topics.items!r}\n"
        f"             or: labelloop send FILE.jsonl -c {file}\n"
        f"  metrics    {', '.join((f'{running.review}/metrics', *running.metrics.values()))}\n"
        f"  logs       {config.state / 'logs'}\n"
        "Ctrl-C stops everything."
    )
