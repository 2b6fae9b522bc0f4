"""`labelloop learn`: trains when there is news, logs to MLflow, promotes what is better."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.adapters.watching.server import served
from daemon.core.errors import SetupProblem, TrainingStopped
from daemon.core.learning import Learner
from daemon.core.metrics import By
from daemon.core.run_description import describe
from daemon.wiring import parts, watching
from daemon.wiring.config import Config
from daemon.wiring.training_child import train_apart
from models.any_training import AnyCandidate, AnyData
from models.bundles import AnyBundle
from models.training import TrainingOptions

NICENESS = 5
"""Labels come before learning, but learning must come too: a quarter of a core that one other wants all the
time is left to it, and a sixteenth of one that five others want.
"""

AUTOGROUP = Path("/proc/self/autogroup")


def main(config: Config, once: bool = False) -> None:
    """Learn until SIGTERM or SIGINT; with `once`, one run whatever the news, and that is all."""
    _come_after_others()
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    database = parts.open_database(config)
    try:
        alive = watching.Alive(config.metrics.stale_seconds)
        learner = make(config, database, stop, alive)
        if once and not _learn_once(learner):
            raise SetupProblem("nothing was learned: another learner works, or there is no item yet")
        if not once:
            meter, needs = PrometheusMeter(By.LEARN), watching.of_loop(alive, database)
            learner.meter = meter
            with served(config.metrics, meter, needs):
                learner.run()
    finally:
        database.close()


def _come_after_others() -> None:
    """Niced, and so is the session if it is this process's own, as under `up`: where Linux groups processes
    by session (`sched_autogroup_enabled`), niceness counts inside of a session alone.
    """
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # there are no such groups
            AUTOGROUP.write_text(str(NICENESS))


def _learn_once(learner: Learner) -> bool:
    try:
        return learner.step(whatever=True)
    except TrainingStopped as stopped:
        raise SetupProblem(f"nothing was learned: {stopped}") from None
    finally:
        learner.leave()


def make(
    config: Config, database: Database, stop: threading.Event, alive: watching.Alive | None = None
) -> Learner:
    """The learner with its parts; `alive` hears its reports."""
    stream = StreamRoom(database, parts.caps(config))
    policy = parts.policy(config)
    options = TrainingOptions(
        label_models=config.learning.label_models,
        seed=0,
        cost=policy.cost,
        head=parts.HEADS.get(config.task.kind, "softmax"),
    )
    name = parts.holder("learn")

    def report(said: Mapping[str, object]) -> None:
        if alive is not None:
            alive.heard()
        stream.report(name, "learn", said)

    registry = MlflowRegistry(config.mlflow, config.task)

    def train(data: AnyData, champion: AnyBundle | None, still: Callable[[], object]) -> AnyCandidate:
        registry.load()  # before the run is logged: the duty does not last for both
        return train_apart(data, options, champion, still, stop)

    return Learner(
        stream=stream,
        store=LearningRoom(database),
        registry=registry,
        policy=policy,
        settings=config.learning,
        train=train,
        describe=partial(
            describe,
            source=f"topic {config.kafka.topics.items}",
            target_error=config.guarantee.target_error,
            ordered=config.task.is_ordered,
        ),
        holder=name,
        stop=stop,
        alive=report,
    )
