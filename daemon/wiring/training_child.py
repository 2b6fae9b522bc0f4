"""Training in a process of its own, on one thread, at a pace that the stream does not feel."""

import logging
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

from threadpoolctl import threadpool_limits

from daemon.core.errors import TrainingFailed, TrainingStopped
from daemon.wiring.pace import Pace
from models.any_training import AnyCandidate, AnyData, train_any
from models.bundles import AnyBundle
from models.training import TrainingOptions

log = logging.getLogger(__name__)

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
        _send(here, (data, options, champion))
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
    _stay_unfelt()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s training %(message)s")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with parent:
        data, options, champion = _receive(parent)
        parent.send(train_any(data, replace(options, trained_at=now), champion, log.info))


def _stay_unfelt() -> None:
    """Paced, and on one thread; numpy's are there already with this module, others come with later ones."""
    Pace().keep()
    threadpool_limits(1)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _send(to: Connection, value: object) -> None:
    """Arrays go as they lie in memory: pickled with the rest, each would be there twice on either side."""
    arrays: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    views = [array.raw() for array in arrays]
    to.send((rest, [view.nbytes for view in views]))
    for view in views:
        if view.nbytes:
            to.send_bytes(view)


def _receive(sender: Connection) -> Any:
    """What `_send` sent."""
    rest, sizes = sender.recv()
    arrays = [bytearray(size) for size in sizes]
    for array in arrays:
        if array:
            sender.recv_bytes_into(array)
    return pickle.loads(rest, buffers=arrays)
