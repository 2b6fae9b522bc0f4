"""Old items that nothing rests on any more are removed, a few at a time, by one worker."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from daemon.core import metrics
from daemon.core.desk import HeldDuty
from daemon.core.errors import DutyLost
from daemon.core.metrics import UNMETERED, Meter
from daemon.core.rows import Duty

log = logging.getLogger(__name__)

LOOKED_AT = 5_000
"""Items looked at in one transaction."""
STEP_SECONDS = 0.5
"""Between two looks, so that the stream has the database in between."""
REST_SECONDS = 3_600.0
"""Between the end of one walk over the old items and the next walk."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk over the old items is, which goes by their time of arrival and their ids.

    Attributes:
        arrived: ms. item: id. removed: how many the last step removed.
    """

    arrived: int = -1
    item: str = ""
    removed: int = 0


class RetentionStore(Protocol):
    """What is needed of the store."""

    def remove_old(self, duty: Duty, keep_ms: int, after: Walked, limit: int) -> Walked | None:
        """Look at the next `limit` items that came more than `keep_ms` ago, and remove what may go.

        None where there are no more. Raises DutyLost.
        """


@dataclass
class Retention:
    """Walks over the old items step by step, rests, and begins anew.

    Attributes:
        keep_days: how long an item is kept at least.
        clock: seconds, never backwards.
    """

    store: RetentionStore
    duty: HeldDuty
    keep_days: float
    meter: Meter = UNMETERED
    clock: Callable[[], float] = time.monotonic
    _at: Walked = Walked()
    _due: float = float("-inf")
    _removed: int = 0

    def tend(self) -> None:
        """One step, if it is due and this process has the duty."""
        if self.clock() < self._due or (duty := self.duty.get()) is None:
            return
        try:
            walked = self.store.remove_old(duty, round(self.keep_days * DAY_MS), self._at, LOOKED_AT)
        except DutyLost:
            self.duty.lost()
            return
        self._due = self.clock() + (REST_SECONDS if walked is None else STEP_SECONDS)
        if walked is None:
            self._tell()
            self._at, self._removed = Walked(), 0
        else:
            self._at = walked
            self._removed += walked.removed
            self.meter.add(metrics.REMOVED_ITEMS, walked.removed)

    def _tell(self) -> None:
        if self._removed:
            log.info(
                "removed %d items that came more than %g days ago and that nobody was asked about",
                self._removed,
                self.keep_days,
                extra={"action": "items_removed"},
            )
