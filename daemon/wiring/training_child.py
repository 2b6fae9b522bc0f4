"""Training in a process of its own: niced and with few threads, so that the stream does not feel it."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from daemon.core.errors import TrainingFailed, TrainingStopped
from models.any_training import AnyCandidate, AnyData, train_any
from models.bundles import AnyBundle
from models.training import TrainingOptions

log = logging.getLogger(__name__)

NICENESS = 10
THREADS = "1"
BEAT_SECONDS = 0.5


def train_apart(
    data: AnyData,
    options: TrainingOptions,
    champion: AnyBundle | None,
    alive: Callable[[], object],
    stop: threading.Event,
) -> AnyCandidate:
    """Train in a child process; `alive` is called twice a second meanwhile.

    Raises:
        TrainingStopped: `stop` was set; the child was ended.
        TrainingFailed: the child died; its error is in the message and in this process's output.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    # what it learns from is sent once it runs: `start` with much to hand over waits for ever for a child that
    # ended before it read it
    child = context.Process(target=_train, args=(there,), name="training", daemon=True)
    child.start()
    there.close()
    try:
        here.send((data, options, champion))
        while not stop.is_set() and not here.poll(BEAT_SECONDS):
            alive()
        if stop.is_set():
            child.terminate()
            child.join()
            raise TrainingStopped("told to end while training; the next start trains again")
        candidate: AnyCandidate = here.recv()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        child.join()
        raise TrainingFailed(
            f"the training process ended with {child.exitcode}; its output above says why"
        ) from None
    finally:
        here.close()
    child.join()
    return candidate


def _train(parent: Connection) -> None:
    os.nice(NICENESS)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = THREADS
    logging.basicConfig(level=logging.INFO, format="%(asctime)s training %(message)s")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with parent:
        data, options, champion = parent.recv()
        parent.send(train_any(data, replace(options, trained_at=now), champion, log.info))
