"""Simulated reviewers in a thread of their own, who never give up."""

import asyncio
import random
import threading
from collections.abc import Sequence

from feed import CLASSES, truth

from benchmarks.reviewers_play import Habit, Reviewer, Seen

HABITS = {
    "crowd": Habit(right=0.95, seconds=0.1),
    "crashing": Habit(right=0.95, seconds=0.1, crashes=0.01, cuts=0.1),
    "expert": Habit(right=1.0, seconds=0.05, cuts=0.03),
}
COUNTS = {"crowd": 3, "crashing": 2, "expert": 3}


class People:
    """Everybody at work from `start` to `stop`; `seen` says what they saw."""

    def __init__(self, addresses: Sequence[str], seed: int) -> None:
        self.seen = Seen()
        self._addresses, self._seed = addresses, seed
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="people")
        self._failed: list[BaseException] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; raises what made one of them give up."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.seen.stop.set)
            self._thread.join(60)
        self.check()

    def check(self) -> None:
        """Raise what made one of them give up, if one did."""
        if self._failed:
            raise self._failed[0]

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        everybody = [
            self._person(habit, number) for habit, count in COUNTS.items() for number in range(count)
        ]
        await asyncio.gather(*(self._watched(one) for one in everybody))

    async def _watched(self, one: Reviewer) -> None:
        try:
            await one.work()
        except Exception as error:  # noqa: BLE001 - raised by `check`, in another thread
            self._failed.append(error)

    def _person(self, habit: str, number: int) -> Reviewer:
        place = number % len(self._addresses)
        return Reviewer(
            f"{habit}-{number}",
            HABITS[habit],
            [*self._addresses[place:], *self._addresses[:place]],
            random.Random(f"{self._seed} {habit} {number}"),
            self.seen,
            tier="expert" if habit == "expert" else "crowd",
            classes=CLASSES,
            truth=truth,
            patient=True,
        )
