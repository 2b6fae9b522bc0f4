"""Following the promoted bundle between batches, from any thread."""

import logging
import threading
import time
from dataclasses import dataclass

from daemon.core.ports import LearningStore
from models.archive import DamagedBundle
from models.bundles import AnyBundle, read_bundle

log = logging.getLogger(__name__)


def whole(id_: int, data: bytes) -> AnyBundle | None:
    """A stored bundle; None, with a line in the log, if it is damaged or of a version not known here."""
    try:
        return read_bundle(data)
    except DamagedBundle as error:
        log.error(
            "bundle %d is not used: %s; `labelloop learn --once` trains another",
            id_,
            error,
            extra={"action": "bundle_refused"},
        )
        return None


@dataclass(frozen=True, slots=True)
class Current:
    """The bundle to decide with; `id` is None for the built-in priors."""

    id: int | None
    bundle: AnyBundle


class BundleFollower:
    """Looks for a new bundle at most every `seconds`; in between it answers from memory.

    One that is damaged is refused once, and the one before it, or the priors, stay in use.
    """

    def __init__(
        self,
        store: LearningStore,
        priors: AnyBundle,
        seconds: float = 0.5,
    ) -> None:
        """`priors`: what is believed until a bundle is promoted."""
        self._store = store
        self._seconds = seconds
        self._lock = threading.Lock()
        self._looked = -1e9
        self._current = Current(None, priors)
        self._seen: int | None = None

    def current(self) -> Current:
        """The bundle that workers are to follow now."""
        with self._lock:
            if time.monotonic() - self._looked >= self._seconds:
                self._looked = time.monotonic()
                self._follow()
            return self._current

    def rejected(self) -> int:
        """Bundles that were trained before the first is promoted; 0 once one is followed."""
        return self._store.rejected() if self.current().id is None else 0

    def newest(self) -> Current:
        """The same, looked up at once: what was asked for because of a new bundle must be decided by it."""
        with self._lock:
            self._looked = time.monotonic()
            self._follow()
            return self._current

    def _follow(self) -> None:
        stored = self._store.current_bundle(self._seen)
        if stored is None:
            return
        self._seen = stored.id
        if (bundle := whole(stored.id, stored.data)) is not None:
            self._current = Current(stored.id, bundle)
