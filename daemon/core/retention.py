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


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk over the old items is, which goes by their time of arrival and their ids.

    Attributes:
        arrived: ms. item: id. removed: how many the last step removed.
    """

    arrived: int = -1
    item: str = ""
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """How long items are kept at least that nothing rests on, in days; None: for ever.

    Attributes:
        certified: those that are certified. open: those that are not, and that nobody was asked about.
    """

    certified: float | None
    open: float | None

    @property
    def least(self) -> float | None:
        """Days after which something may go; None if nothing ever does."""
        return min((days for days in (self.certified, self.open) if days is not None), default=None)


class RetentionStore(Protocol):
    """What is needed of the store."""

    def remove_old(self, duty: Duty, kept: Kept, after: Walked, limit: int) -> Walked | None:
        """Look at the next `limit` items that are old enough for something to go, and remove what may go.

        None where there are no more. Raises DutyLost.
        """


@dataclass
class Retention:
    """Walks over the old items step by step, rests, and begins anew.

    Attributes:
        kept: what may go, and when.
        clock: seconds, never backwards.
    """

    store: RetentionStore
    duty: HeldDuty
    kept: Kept
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
            walked = self.store.remove_old(duty, self.kept, self._at, LOOKED_AT)
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
                "removed %d items that are old and that nobody was asked about",
                self._removed,
                extra={"action": "items_removed"},
            )
