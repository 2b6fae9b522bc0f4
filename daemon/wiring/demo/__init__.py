"""`labelloop demo`: the whole loop on real messages, everything embedded, with a table at the end."""

import math
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.live import Live

from daemon.adapters.store.engine import Database
from daemon.adapters.store.reports import ReportRoom
from daemon.core.errors import SetupProblem
from daemon.core.report_rows import Overview
from daemon.core.windows import fewest_items
from daemon.wiring import parts
from daemon.wiring.config import Config, load
from daemon.wiring.demo import corpus
from daemon.wiring.demo.outcome import judge, read_labels, table
from daemon.wiring.demo.reviewers import Crew, Reviewer
from daemon.wiring.demo.screen import picture
from daemon.wiring.network import port_or_free
from daemon.wiring.supervisor import LOCK_FILE, StateLock
from daemon.wiring.up import House, Running

EXAMPLE = Path(__file__).parents[3] / "examples" / "sms_spam"
SIMULATED = "simulated"
DEFAULT_STATE = Path(".labelloop") / "demo"
DEADLINE_SECONDS = 600.0
CALM_SECONDS = 4.0
FRAME_SECONDS = 0.5
PER_SECOND = 400.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the demo is run.

    Attributes:
        exit: end after the table instead of leaving the pages up.
        reviewers: `simulated` answers from the truth; `you` leaves the queue to the person at the keyboard.
        items: send only so many messages; None for all.
        state: folder of everything that the demo keeps; None for .labelloop/demo.
        keep: go on with what an earlier demo left there, instead of starting anew.
        port: of the pages; None for 8400, or one that is free.
        kafka_home: an Apache Kafka to run instead of the embedded broker.
    """

    exit: bool = False
    reviewers: str = SIMULATED
    items: int | None = None
    state: Path | None = None
    keep: bool = False
    port: int | None = None
    kafka_home: Path | None = None

    @property
    def deadline(self) -> float:
        """Seconds until the table is shown in any case; a person at the keyboard may take all day."""
        return DEADLINE_SECONDS if self.reviewers == SIMULATED else math.inf


def main(options: DemoOptions) -> None:
    """Run the demo; Ctrl-C stops everything."""
    if not EXAMPLE.is_dir():
        raise SetupProblem(f"{EXAMPLE} is missing; the demo runs from a checkout of the project")
    console = Console()
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(wanted, lambda *_: stop.set())
    messages = corpus.load(options.items)
    config = _config(options)
    if config.state.exists() and not options.keep:
        empty(config.state)
    house = House(config, EXAMPLE / "labelloop.yaml", options.kafka_home, _overrides(config))
    try:
        console.print("starting broker, MLflow, worker, learner and review pages ...")
        running = house.start()
        _show(console, house, config, running, messages, options, stop)
    finally:
        house.stop()


def empty(state: Path) -> None:
    """Remove what an earlier demo left in this folder.

    Raises:
        SetupProblem: the folder holds something that no demo wrote, or a running one uses it.
    """
    held = [path for path in state.iterdir() if path.name != LOCK_FILE]
    if held and not (state / LOCK_FILE).is_file():
        raise SetupProblem(
            f"{state} holds files that no demo wrote ({held[0].name}, ...); name an empty folder with --state"
        )
    lock = StateLock(state)
    try:
        for path in held:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    finally:
        lock.release()


def _config(options: DemoOptions) -> Config:
    config = load(EXAMPLE / "labelloop.yaml")
    review = replace(config.review, port=port_or_free(options.port or config.review.port))
    return replace(config, state=(options.state or DEFAULT_STATE).resolve(), review=review)


def _overrides(config: Config) -> dict[str, str]:
    return {"LABELLOOP_STATE": str(config.state), "LABELLOOP_REVIEW__PORT": str(config.review.port)}


def _show(
    console: Console,
    house: House,
    config: Config,
    running: Running,
    messages: Sequence[corpus.Message],
    options: DemoOptions,
    stop: threading.Event,
) -> None:
    truth = {message.id: message.truth for message in messages}
    database = parts.open_database(config)
    try:
        with _people(config, running, truth, options.reviewers):
            seconds = _stream(console, house, config, running, messages, database, stop, options.deadline)
        overview = ReportRoom(database, parts.caps(config)).overview()
    finally:
        database.close()
    if stop.is_set() and options.reviewers == SIMULATED:
        return
    labels = read_labels(running.bootstrap, config.kafka.topics.labels)
    outcome = judge(labels, truth, overview, config.tiers, seconds)
    promise = config.guarantee
    console.print(table(outcome, promise.target_error, promise.confidence, config.currency))
    if not options.exit and not stop.is_set():
        console.print(f"\nThe pages stay up: {'  '.join(_addresses(running))}\nCtrl-C stops everything.")
        while not stop.wait(FRAME_SECONDS):
            house.watch()


@contextmanager
def _people(config: Config, running: Running, truth: dict[str, str], who: str) -> Iterator[None]:
    if who != SIMULATED:
        yield
        return
    reviewers = [
        Reviewer(f"{name}-{number}", name, 1.0 if tier.final else tier.accuracy, tier.seconds_per_answer)
        for name, tier in config.tiers.items()
        for number in (1, 2)
    ]
    crew = Crew(reviewers, running.review, truth, config.task.classes)
    crew.start()
    try:
        yield
    finally:
        crew.stop()
    if crew.errors:
        raise crew.errors[0]


def _stream(
    console: Console,
    house: House,
    config: Config,
    running: Running,
    messages: Sequence[corpus.Message],
    database: Database,
    stop: threading.Event,
    deadline: float,
) -> float:
    """Send everything and wait until the loop has come to rest. Seconds until the last item was labeled."""
    reports = ReportRoom(database, parts.caps(config))
    sent = [0]
    errors: list[Exception] = []
    sender = threading.Thread(target=_send, args=(messages, config, running, sent, errors, stop), daemon=True)
    started = time.monotonic()
    streamed, calm_since = 0.0, started
    sender.start()
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while not stop.wait(FRAME_SECONDS) and time.monotonic() - started < deadline:
            house.watch()
            if errors:
                raise errors[0]
            overview = reports.overview()
            now = time.monotonic()
            live.update(
                picture(overview, sent[0], len(messages), now - started, _addresses(running), config.currency)
            )
            if sum(overview.states.values()) >= len(messages) and not streamed:
                streamed = now - started
            if not streamed or not _at_rest(overview, config):
                calm_since = now
            elif now - calm_since > CALM_SECONDS:
                break
    sender.join(timeout=5)
    return streamed or time.monotonic() - started


def _send(
    messages: Sequence[corpus.Message],
    config: Config,
    running: Running,
    sent: list[int],
    errors: list[Exception],
    stop: threading.Event,
) -> None:
    try:
        for count in corpus.send(messages, replace(config.kafka, bootstrap=running.bootstrap), PER_SECOND):
            sent[0] = count
            if stop.is_set():
                return
    except Exception as error:  # noqa: BLE001 - raised again in the main thread
        errors.append(error)


def _at_rest(overview: Overview, config: Config) -> bool:
    """Nobody is asked, nothing waits to be decided or published, and no window is open or due."""
    waiting = sum(queue.open + queue.leased for queue in overview.queues)
    busy = waiting + overview.rechecks + overview.outbox + overview.open_windows
    training = any(process.report.get("doing") == "training" for process in overview.processes)
    return not busy and not training and overview.states.get("ready", 0) < fewest_items(config.guarantee)


def _addresses(running: Running) -> list[str]:
    return [f"{running.review}/dashboard", f"{running.review}/review", running.mlflow]
