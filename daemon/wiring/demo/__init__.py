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
from daemon.core.errors import SetupProblem
from daemon.core.report_rows import Overview
from daemon.core.states import BLIND_PURPOSES, Purpose
from daemon.core.windows import fewest_items
from daemon.wiring import parts
from daemon.wiring.accounts import check_open
from daemon.wiring.config import Config, load
from daemon.wiring.demo import corpus, outcome, recovery
from daemon.wiring.demo.heard import read_labels
from daemon.wiring.demo.model_worth import worth
from daemon.wiring.demo.reviewers import Crew, Reviewer
from daemon.wiring.demo.screen import Streaming, picture
from daemon.wiring.demo.sending import Pace, Sender
from daemon.wiring.demo.shift import shifted
from daemon.wiring.network import Ports
from daemon.wiring.supervisor import LOCK_FILE, StateLock
from daemon.wiring.up import House, Running

EXAMPLE = Path(__file__).parents[3] / "examples" / "sms_spam"
SIMULATED = "simulated"
DEFAULT_STATE = Path(".labelloop") / "demo"
DEADLINE_SECONDS = 600.0
CALM_SECONDS = 4.0
FRAME_SECONDS = 0.5
PACE = Pace(400.0)
DRIFT_PACE = Pace(20.0, ahead=300)
"""Slow enough for the models to learn of the change while the second half still comes, and in order."""
DRIFT_EXPERT_BUDGET = 1_500.0
"""A change costs: windows take twice the audits, and many of the new messages are doubtful."""
DRIFT_WINDOW_ITEMS = 900
WINDOWS_BEFORE = 1
"""Closed before the change is sent: models that have learned nothing notice none."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the demo is run.

    Attributes:
        drift: the second half of the messages is of another kind.
        llm: a small language model on this machine answers too.
        exit: end after the table instead of leaving the pages up.
        reviewers: `simulated` answers from the truth; `you` leaves the queue to the person at the keyboard.
        items: send only so many messages; None for all.
        state: folder of everything that the demo keeps; None for .labelloop/demo.
        keep: go on with what an earlier demo left there, instead of starting anew.
        port: of the pages; None for 8400, or one that is free.
        kafka_home: an Apache Kafka to run instead of the embedded broker.
    """

    drift: bool = False
    llm: bool = False
    exit: bool = False
    reviewers: str = SIMULATED
    items: int | None = None
    state: Path | None = None
    keep: bool = False
    port: int | None = None
    kafka_home: Path | None = None

    @property
    def file(self) -> Path:
        """The configuration."""
        return EXAMPLE / ("with_llm.yaml" if self.llm else "labelloop.yaml")

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
    if options.drift:
        messages = shifted(messages)
    ports = Ports()
    config = _config(options, ports)
    if config.state.exists() and not options.keep:
        empty(config.state)
    if options.reviewers == SIMULATED:
        check_open(config, "simulated reviewers")
    house = House(config, options.file, options.kafka_home, ports, _overrides(config))
    try:
        also = " and a language model" if options.llm else ""
        console.print(f"starting broker, MLflow, worker, learner, review pages{also} ...")
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


def _config(options: DemoOptions, ports: Ports) -> Config:
    config = load(options.file)
    review = replace(config.review, port=ports.take(options.port or config.review.port))
    if options.drift:
        expert = replace(config.tiers["expert"], budget_per_day=DRIFT_EXPERT_BUDGET)
        config = replace(
            config,
            guarantee=replace(config.guarantee, window_items=DRIFT_WINDOW_ITEMS),
            tiers={**config.tiers, "expert": expert},
        )
    return replace(config, state=(options.state or DEFAULT_STATE).resolve(), review=review)


def _overrides(config: Config) -> dict[str, str]:
    return {
        "LABELLOOP_STATE": str(config.state),
        "LABELLOOP_REVIEW__PORT": str(config.review.port),
        "LABELLOOP_GUARANTEE__WINDOW_ITEMS": str(config.guarantee.window_items),
        "LABELLOOP_TIERS__EXPERT__BUDGET_PER_DAY": str(config.tiers["expert"].budget_per_day),
    }


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
            seconds = _stream(console, house, config, running, messages, database, stop, options)
        reports = parts.reports(config, database)
        overview = reports.overview()
        model = worth(config, database, truth) if options.llm else None
        windows = [(record, reports.window_items(record.id)) for record in reversed(overview.windows)]
    finally:
        database.close()
    if stop.is_set() and options.reviewers == SIMULATED:
        return
    heard = read_labels(replace(config.kafka, bootstrap=running.bootstrap))
    reached = outcome.judge(heard.labels, truth, overview, config.tiers, seconds, model)
    promise = config.guarantee
    console.print(outcome.table(reached, promise.target_error, promise.confidence, config.currency))
    if options.drift:
        console.print(recovery.table(recovery.judge(heard, messages, windows, overview.alarms)))
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
        if tier.is_web
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
    options: DemoOptions,
) -> float:
    """Send everything and wait until the loop has come to rest. Seconds until the last item was labeled."""
    reports, rest = parts.reports(config, database), _Rest(len(messages))
    sender = _sender(config, running, messages, stop, options)
    deadline = options.deadline * (2 if options.drift else 1)
    started = time.monotonic()
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while not stop.wait(FRAME_SECONDS) and time.monotonic() - started < deadline:
            house.watch()
            overview = reports.overview()
            labeled = sum(overview.states.values())
            sender.look(labeled)
            now = time.monotonic() - started
            if len(overview.windows) >= WINDOWS_BEFORE or now > deadline / 2:
                sender.go_on()
            stream = Streaming(sender.sent, len(messages), now, _addresses(running))
            live.update(picture(overview, stream, config.currency, config.drift))
            if rest.look(now, labeled, at_rest(overview, config)):
                break
    sender.join()
    return rest.streamed or time.monotonic() - started


def _sender(
    config: Config,
    running: Running,
    messages: Sequence[corpus.Message],
    stop: threading.Event,
    options: DemoOptions,
) -> Sender:
    """Sends the messages; where their kind changes it waits until it is told to go on."""
    kafka = replace(config.kafka, bootstrap=running.bootstrap)
    change = next((place for place, message in enumerate(messages) if message.shifted), None)
    return Sender(messages, kafka, DRIFT_PACE if options.drift else PACE, stop, hold_at=change)


@dataclass
class _Rest:
    """Whether everything was labeled and nothing moves any more; times are seconds since the start.

    Attributes:
        total: items. streamed: when the last one was labeled, 0 before. calm_since: since when nothing moves.
    """

    total: int
    streamed: float = 0.0
    calm_since: float = 0.0

    def look(self, now: float, labeled: int, rests: bool) -> bool:
        """Whether it has rested for long enough; `rests`: nothing moves at this moment."""
        if labeled >= self.total and not self.streamed:
            self.streamed = now
        if not self.streamed or not rests:
            self.calm_since = now
        return now - self.calm_since > CALM_SECONDS


def at_rest(overview: Overview, config: Config) -> bool:
    """Nobody is asked, nothing waits to be decided or published, and no window is open or due."""
    waiting = _questions_waiting(overview, config)
    busy = waiting + overview.rechecks + overview.outbox + overview.open_windows
    training = any(process.report.get("doing") == "training" for process in overview.processes)
    return not busy and not training and overview.states.get("ready", 0) < fewest_items(config.guarantee)


def _questions_waiting(overview: Overview, config: Config) -> int:
    """Questions that are being answered, or will be today.

    One that today's money does not reach waits for tomorrow's; those to learn from have but a share.
    """
    broke = {
        spent.tier
        for spent in overview.spending
        if spent.reached or spent.left < config.tiers[spent.tier].price_micros
    }
    paid = [
        queue
        for queue in overview.queues
        if queue.purpose in BLIND_PURPOSES or (queue.tier not in broke and queue.purpose != Purpose.LEARN)
    ]
    return sum(queue.leased for queue in overview.queues) + sum(queue.open for queue in paid)


def _addresses(running: Running) -> list[str]:
    return [f"{running.review}/dashboard", f"{running.review}/review", running.mlflow]
