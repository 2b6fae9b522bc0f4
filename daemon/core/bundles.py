"""Following the promoted bundle between batches, from any thread."""

import threading
import time
from dataclasses import dataclass

from daemon.core.ports import LearningStore
from models.bundles import AnyBundle, read_bundle


@dataclass(frozen=True, slots=True)
class Current:
    """The bundle to decide with; `id` is None for the built-in priors."""

    id: int | None
    bundle: AnyBundle


class BundleFollower:
    """Looks for a new bundle at most every `seconds`; in between it answers from memory."""

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

    def current(self) -> Current:
        """The bundle that workers are to follow now."""
        with self._lock:
            if time.monotonic() - self._looked >= self._seconds:
                self._looked = time.monotonic()
                self._follow()
            return self._current

    def newest(self) -> Current:
        """The same, looked up at once: what was asked for because of a new bundle must be decided by it."""
        with self._lock:
            self._looked = time.monotonic()
            self._follow()
            return self._current

    def _follow(self) -> None:
        stored = self._store.current_bundle(self._current.id)
        if stored is not None:
            self._current = Current(stored.id, read_bundle(stored.data))
