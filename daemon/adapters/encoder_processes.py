"""An encoder in child processes of one thread each: together faster than one process with as many threads."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from models.arrays import F4, I8
from models.encoder import SentenceEncoder
from models.token_batches import in_order

READY = "ready"
ENDING_SECONDS = 10.0
"""For the batch at hand of a child that is to end."""

_GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What a pipe says whose other end is closed."""


class EncoderDied(Exception):
    """A process that computes vectors ended by itself; the message says how."""


class EncoderProcesses:
    """`TextEncoder` that has its batches computed by children. For one thread at a time.

    A child ends at once with this process, however that ends, and after its batch when its pipe is closed.

    Attributes:
        name: of the model.
        pids: of the children.
    """

    def __init__(self, model: SentenceEncoder, count: int) -> None:
        """Starts `count` children, which takes seconds; they compute as `model` does, which is not used up.

        Raises EncoderDied.
        """
        self.name = model.name
        self._model = model
        self._children: dict[Connection, SpawnProcess] = {}
        try:
            for _ in range(count):
                self._start()
            for pipe in self._children:
                self._received(pipe)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """Of the children that were not closed."""
        return [child.pid for child in self._children.values() if child.pid is not None]

    def encode(self, texts: Sequence[str]) -> F4:
        """(n, dimension) vectors of n texts, in their order.

        Raises EncoderDied; nothing but `close` is of use afterwards.
        """
        batches = self._model.batches(texts, len(self._children))
        return in_order(len(texts), self._model.dimension, self._computed(texts, batches))

    def close(self) -> None:
        """End the children: each finishes its batch first, and is killed if that takes too long."""
        for pipe in self._children:
            pipe.close()
        for child in self._children.values():
            child.join(ENDING_SECONDS)
            if child.exitcode is None:
                child.kill()
                child.join()
        self._children.clear()

    def _computed(self, texts: Sequence[str], batches: Sequence[I8]) -> Iterator[tuple[I8, F4]]:
        """Each batch's rows and vectors, in the order in which they are done; who is done gets the next."""
        left, at_work = deque(batches), dict[Connection, I8]()
        idle = list(self._children)
        while left or at_work:
            for pipe in idle[: len(left)]:
                rows = at_work[pipe] = left.popleft()
                self._send(pipe, [texts[row] for row in rows.tolist()])
            idle = [pipe for pipe in wait(list(at_work)) if isinstance(pipe, Connection)]
            done = [(at_work.pop(pipe), self._received(pipe)) for pipe in idle]
            yield from done

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        child = context.Process(
            target=_compute, args=(there, self.name, self._model.precision), name="encoder", daemon=True
        )
        child.start()
        there.close()
        self._children[here] = child

    def _send(self, pipe: Connection, texts: list[str]) -> None:
        try:
            pipe.send(texts)
        except _GONE:
            raise self._died(pipe) from None

    def _received(self, pipe: Connection) -> F4:
        try:
            vectors: F4 = pipe.recv()
        except _GONE:
            raise self._died(pipe) from None
        return vectors

    def _died(self, pipe: Connection) -> EncoderDied:
        child = self._children[pipe]
        child.join(ENDING_SECONDS)
        return EncoderDied(
            f"an encoder process (encoding.processes) ended with {child.exitcode}; its output above says why"
        )


def _compute(pipe: Connection, name: str, precision: str) -> None:
    """What a child does: batches of texts to vectors, until the other end is closed."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)  # sent to a whole group; the parent saves its batch first
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch

    torch.set_num_threads(1)
    model = SentenceEncoder.settled(name, precision)
    with pipe, suppress(*_GONE):
        pipe.send(READY)
        while True:
            pipe.send(model.encode_batch(pipe.recv()))


def _end_with_parent() -> None:
    """Whatever this process is doing: nobody waits for it any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
