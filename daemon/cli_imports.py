"""Imports of commands, which are made when the command is called."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import inside of this: no garbage is looked for meanwhile, nor ever in what was made.

    Modules stay to the end and make hundreds of thousands of objects. To look through these again and again,
    and once more at the end, took a quarter of a short command's time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
