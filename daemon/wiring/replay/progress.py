"""How far a replay is: a bar on a terminal, a line in the log now and then elsewhere."""

import logging
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

log = logging.getLogger(__name__)

TELL_SECONDS = 10.0


class ReplayProgress:
    """Told of each chunk that is done.

    Args:
        total: what the weights of all pieces add up to.
        done: weight of the chunks that an earlier process did.
        step: a word for what is done.
    """

    def __init__(self, total: float, done: float, step: str = "replay") -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[items]:,} items, {task.fields[pace]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(step, total=max(total, 1.0), items=0, pace=0.0)
        self._bar.update(self._task, completed=done)
        self._step = step
        self._total, self._done = max(total, 1.0), done
        self._started = self._told = time.monotonic()
        self.items = 0

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    @property
    def pace(self) -> float:
        """Items a second, of this process."""
        return self.items / max(self.seconds, 1e-9)

    def advance(self, weight: float, items: int) -> None:
        """A chunk is done."""
        self._done += weight
        self.items += items
        self._bar.update(self._task, completed=self._done, items=self.items, pace=self.pace)
        if self._bar.disable and time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            share = min(1.0, self._done / self._total)
            log.info(
                "%s: %d %%: %d items, %.0f a second",
                self._step,
                int(100 * share),
                self.items,
                self.pace,
                extra={"action": "replay_progress"},
            )

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave it as it is."""
        self._bar.stop()
