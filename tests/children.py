"""What a function does to the process that it runs in, seen from a process that goes on."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


def in_a_child(tells: Callable[[Connection], None]) -> Any:
    """What `tells`, a function of a module, sends from a new process."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=tells, args=(theirs,))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        child.join()
