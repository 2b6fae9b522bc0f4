"""Calls to the model that a fault parted from their answers, as the database knows them at that moment.

Killed between its question and the model's answer, a process leaves a call whose answer nobody has; it is
asked for and paid again. A process that stood still until its lease ran out gets an answer that somebody else
has been asked for meanwhile. Nothing else may cost a second call: not a database that goes away, nor a clock.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

NEVER = 2**62
"""Milliseconds that do not come."""

MARGIN_MS = 1_000
"""A lease that ends so soon after its process wakes may end before that process is heard of."""

_UNDER_WAY = """
    SELECT calls.id, coalesce(questions.leased_until, 0) FROM calls
    LEFT JOIN questions ON questions.id = calls.question
    WHERE calls.state = 'reserved' AND calls.run ~ '^(annotate-.*-{process}|up-.*-{process}-[0-9]+)$'
    AND calls.at <= {until}
"""
"""A run is named after its process; that of a child of `up` after `up`."""
_NOW = "SELECT (extract(epoch FROM now()) * 1000)::bigint"

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Rows of a query to the database; none while it is away."""


class CutCalls:
    """Ids of such calls, `ids`, by what is told of faults as they happen.

    Processes are named by their numbers; what a child of `up` asks goes by the number of `up`.
    """

    def __init__(self, ask: Ask) -> None:
        self.ids: set[int] = set()
        self._ask = ask
        self._killed: set[tuple[int, int]] = set()

    def kill(self, process: int) -> None:
        """This one was killed, and what it has started with it: it will make no more calls."""
        self._killed.add((process, NEVER))

    def kill_child(self, up: int) -> None:
        """What asks for this `up` was killed a moment ago; another one will be started."""
        self._killed.add((up, round(time.time() * 1000)))

    def look(self) -> None:
        """The database is there: note what the killed ones left. Nobody settles that any more."""
        for process, until in self._killed:
            self.ids |= {call for call, _ in self._under_way(process, until)}

    def freeze(self, process: int) -> list[tuple[int, int]]:
        """What this one, which stands still, has under way: call, and end of its lease (ms)."""
        return self._under_way(process, NEVER)

    def wake(self, under_way: Sequence[tuple[int, int]]) -> None:
        """It is about to go on: others may have been given what it held, if the lease has ended."""
        ((now,),) = self._ask(_NOW)
        self.ids |= {call for call, until in under_way if until <= now + MARGIN_MS}

    def _under_way(self, process: int, until: int) -> list[tuple[int, int]]:
        """Calls that this process began until then (ms), each with the end of its lease."""
        rows = self._ask(_UNDER_WAY.format(process=process, until=until))
        return [(int(call), int(until)) for call, until in rows]
