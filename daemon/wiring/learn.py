"""`labelloop learn`: trains when there is news, logs to MLflow, promotes what is better."""

import signal
import threading
from functools import partial

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.core.errors import SetupProblem, TrainingStopped
from daemon.core.learning import Learner
from daemon.core.run_description import describe
from daemon.wiring import parts
from daemon.wiring.config import Config
from daemon.wiring.training_child import train_apart
from models.training import TrainingOptions


def main(config: Config, once: bool = False) -> None:
    """Learn until SIGTERM or SIGINT; with `once`, one run whatever the news, and that is all."""
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    database = parts.open_database(config)
    try:
        learner = make(config, database, stop)
        if once and not _learn_once(learner):
            raise SetupProblem("nothing was learned: another learner works, or there is no item yet")
        if not once:
            learner.run()
    finally:
        database.close()


def _learn_once(learner: Learner) -> bool:
    try:
        return learner.step(whatever=True)
    except TrainingStopped as stopped:
        raise SetupProblem(f"nothing was learned: {stopped}") from None


def make(config: Config, database: Database, stop: threading.Event) -> Learner:
    """The learner with its parts."""
    stream = StreamRoom(database, parts.caps(config))
    policy = parts.policy(config)
    options = TrainingOptions(
        label_models=config.learning.label_models,
        seed=0,
        cost=policy.cost,
        head=parts.HEADS.get(config.task.kind, "softmax"),
    )
    name = parts.holder("learn")
    return Learner(
        stream=stream,
        store=LearningRoom(database),
        registry=MlflowRegistry(config.mlflow, config.task),
        policy=policy,
        settings=config.learning,
        train=lambda data, champion, alive: train_apart(data, options, champion, alive, stop),
        describe=partial(
            describe,
            source=f"topic {config.kafka.topics.items}",
            target_error=config.guarantee.target_error,
            ordered=config.task.is_ordered,
        ),
        holder=name,
        stop=stop,
        alive=lambda report: stream.report(name, "learn", report),
    )
