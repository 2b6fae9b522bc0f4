"""The real program and everything under it, each part of which can be killed, frozen and started again."""

import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from cut_calls import CutCalls
from kafka_fixtures import running_broker, wait_until
from mlflow_fixtures import end_group, spawned
from private_postgres import PrivatePostgres
from program import Program, configuration
from sweeping import Sweeper
from wrong_clocks import WrongClocks

from daemon.adapters.broker.apache import ApacheKafka
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.starting import free_port

PARTITIONS = 6
TIER = "model"
"""That a language model answers, where there is one."""
TOPICS = {"items": "items", "labels": "labels", "questions": "questions", "dead_letters": "dead-letters"}
LOOK_SECONDS = 0.2
RESTART_SECONDS = 1.0
"""Pause before a process that fell is started again, as whoever runs it in earnest would."""
START_SECONDS = 240.0


def chaos_configuration(bootstrap: str, url: str, mlflow: str | None, model: str | None) -> dict[str, Any]:
    """Small windows, quick leases and a learner that has news often, so that much happens in a minute."""
    config = configuration(bootstrap, TOPICS, url, "chaos")
    config["tiers"] = {
        "crowd": {"price": 0.05, "lease_seconds": 5, "accuracy": 0.9},
        "expert": {"price": 0.6, "lease_seconds": 5, "final": True, "accuracy": 0.98},
    }
    config["guarantee"] = {"cold_start_gold": 20, "window_items": 500, "window_seconds": 3600}
    config["learning"] = {"min_answers": 40, "max_seconds": 20}
    config["kafka"] |= {"partitions": PARTITIONS, "publish_seconds": 5}
    config["stream"] = {"batch_items": 100}
    config["drift"] = {"enabled": False}
    config["mlflow"] = {"uri": mlflow or "http://127.0.0.1:1"}
    if model is not None:
        config["tiers"][TIER] = {"backend": "llm", "price": 0.001, "lease_seconds": 10, "accuracy": 0.8}
        config["endpoints"] = {
            "scripted": {"base_url": model, "price_in": 0.01, "price_out": 0.5, "timeout_seconds": 20}
        }
        config["llm"] = {TIER: {"endpoint": "scripted", "model": "scripted", "confidence": "none"}}
    return config


def is_alive(process: psutil.Process) -> bool:
    """Whether it is there, and more than a line in a table that nobody has read."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return "gone"
    return words[words.index("daemon.cli") + 1] if "daemon.cli" in words else Path(words[-1]).stem


@dataclass
class House:
    """Broker, database, MLflow and the processes of the program; a watcher starts again what falls.

    Attributes:
        commands: name of a process -> its command and environment.
        fallen: exit codes of processes that ended though nobody killed them, by name.
        with_mlflow: whether its server runs. model_url: of a language model that answers a tier, if one does.
        clocks: the wall clock of each process by its name, where they can be wrong.
        cut_calls: those that were parted from their answers.
    """

    folder: Path
    kafka_home: Path
    binaries: Path
    functions: str
    commands: Mapping[str, tuple[Sequence[str], Mapping[str, str]]]
    with_mlflow: bool = True
    model_url: str | None = None
    clocks: WrongClocks | None = None
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    fallen: Counter[tuple[str, int]] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    overrides: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cut_calls = CutCalls(self.ask)
        self._lock = threading.RLock()
        self._resting: set[str] = set()
        self._closing = threading.Event()
        self._stack = ExitStack()
        self._sweeper = Sweeper()
        self._stack.callback(self._sweeper.close)

    def __enter__(self) -> "House":
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        self._kafka = self.new_kafka(free_port())
        self.broker = running_broker(self._kafka, self.folder / "broker.log")
        self._stack.callback(self.break_broker)
        self.postgres = self._stack.enter_context(self.new_postgres())
        self._sweeper.watch(self.postgres.pid)
        self.mlflow = MlflowServer(self.folder / "mlflow", free_port()) if self.with_mlflow else None
        if self.mlflow:
            self.mlflow.prepare()
            self.start_mlflow()
            self._stack.callback(lambda: end_group(self._mlflow_process))
        self.program = Program(self.folder / "program", self._configuration(), apart=True)
        self.program.write(self.functions)
        self._stack.callback(self.program.stop)
        for name in self.commands:
            self._start(name)
        self._watcher = threading.Thread(target=self._watch, name="watcher")
        self._watcher.start()

    def new_kafka(self, port: int) -> ApacheKafka:
        """The broker, before it runs."""
        return ApacheKafka(self.kafka_home, self.folder / "kafka", port)

    def new_postgres(self) -> PrivatePostgres:
        """The database's server, before it runs."""
        return PrivatePostgres(self.binaries)

    def place(self, name: str) -> tuple[Sequence[str], Mapping[str, str]]:
        """Where the process of this name runs: words before its command, and its own settings."""
        return (), self.commands[name][1]

    def _configuration(self) -> dict[str, Any]:
        mlflow = self.mlflow.uri if self.mlflow else None
        return chaos_configuration(self.bootstrap, self.url, mlflow, self.model_url)

    def close(self) -> None:
        """End everything."""
        self._closing.set()
        if hasattr(self, "_watcher"):
            self._watcher.join()
        self._stack.close()

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return self._kafka.bootstrap

    @property
    def url(self) -> str:
        """Where the database is."""
        return self.postgres.url

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database past the program; nothing while it is away or has no tables yet."""
        try:
            with psycopg.connect(self.url, connect_timeout=5) as connection:
                return list(connection.execute(sql.encode()))
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return []

    def count(self, sql: str) -> int:
        """One number; -1 while the database is away."""
        found = self.ask(sql)
        return int(found[0][0] or 0) if found else -1

    def stored(self) -> int:
        """Items in the database; -1 while it is away."""
        return self.count("SELECT count(*) FROM items")

    def kill(self, name: str) -> None:
        """SIGKILL one process; it is started again at once."""
        with self._lock:
            self._end(name)
            self._start(name)

    def kill_below(self, process: psutil.Process) -> None:
        """SIGKILL one that another one has started."""
        asks, above = _command(process) == "annotate", process.ppid()
        process.kill()
        wait_until(lambda: not is_alive(process), START_SECONDS, "the end of what was killed")
        if asks:
            self.cut_calls.kill_child(above)

    def freeze(self, name: str) -> "subprocess.Popen[bytes]":
        """SIGSTOP one process."""
        process = self.processes[name]
        process.send_signal(signal.SIGSTOP)
        return process

    def rest(self, names: Sequence[str]) -> None:
        """From now on these are not started again when they end."""
        with self._lock:
            self._resting |= set(names)

    def wake(self, names: Sequence[str], **overrides: str) -> None:
        """Start these again, from now on with these variables instead of earlier ones."""
        with self._lock:
            self.overrides = overrides
            self._resting -= set(names)
            for name in names:
                if self.processes[name].poll() is None:
                    self._end(name)
                self._start(name)

    def log_of(self, name: str) -> str:
        """What the process of this name wrote since it was last started."""
        return self.program.logs_of(self.processes[name])

    def family(self, name: str) -> dict[str, psutil.Process]:
        """Processes that this one has started and that live, by their command (`run`, `annotate`, ...)."""
        try:
            children = psutil.Process(self.processes[name].pid).children()
        except psutil.NoSuchProcess:
            return {}
        return {_command(one): one for one in children if is_alive(one)}

    def break_broker(self) -> None:
        """SIGKILL the broker."""
        self.broker.kill()

    def mend_broker(self) -> None:
        """Start it again on the same port and data."""
        self.broker = running_broker(self._kafka, self.folder / "broker.log")

    def crash_database(self) -> None:
        """Immediate stop of PostgreSQL."""
        self._sweeper.forget(self.postgres.pid)
        self.postgres.crash()

    def mend_database(self) -> None:
        """Start it again on the same port and data."""
        self.postgres.start()
        self._sweeper.watch(self.postgres.pid)

    def start_mlflow(self) -> None:
        """Start MLflow's server and wait until it answers."""
        assert self.mlflow is not None
        with (self.folder / "mlflow.log").open("ab") as output:
            self._mlflow_process = spawned(self.mlflow, output)
        self._sweeper.watch(self._mlflow_process.pid)
        self.mlflow.wait_ready(START_SECONDS, lambda: self._mlflow_process.poll() is None)

    def stop_mlflow(self) -> None:
        """End it at once, with all its children."""
        end_group(self._mlflow_process, 0.0)
        self._sweeper.forget(self._mlflow_process.pid)

    def wait(self, condition: Any, seconds: float, what: str) -> None:
        """Until this holds; raises with the end of all logs otherwise."""
        wait_until(condition, seconds, lambda: f"{what}; stored {self.stored()}; {self.program.logs()}")

    def _end(self, name: str) -> None:
        process = self.processes[name]
        process.kill()
        process.wait()
        self.cut_calls.kill(process.pid)

    def _start(self, name: str) -> None:
        within, environment = self.place(name)
        self.starts[name] += 1
        if name in self.processes:
            self._sweeper.forget(self.processes[name].pid)
        clock = self.clocks.environment(name) if self.clocks else {}
        settings = {**environment, **self.overrides, **clock, "OMP_NUM_THREADS": "1"}
        self.processes[name] = self.program.start(*self.commands[name][0], within=within, **settings)
        self._sweeper.watch(self.processes[name].pid)

    def _watch(self) -> None:
        ended: dict[str, float] = {}
        while not self._closing.wait(LOOK_SECONDS):
            with self._lock:
                for name, process in list(self.processes.items()):
                    self._look_at(name, process, ended)

    def _look_at(self, name: str, process: "subprocess.Popen[bytes]", ended: dict[str, float]) -> None:
        if process.poll() is None or name in self._resting:
            ended.pop(name, None)
        elif name not in ended:
            ended[name] = time.monotonic()
            self.fallen[name, process.returncode] += 1
        elif time.monotonic() - ended[name] >= RESTART_SECONDS:
            del ended[name]
            self._start(name)
