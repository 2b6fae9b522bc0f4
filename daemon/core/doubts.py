"""Questions whose calls came to nothing: whether that is for them or for the endpoint; pure."""

from collections.abc import Sequence

MOST_FAILURES = 3
"""A question that failed so often while others went well is hopeless: whatever is wrong is with its item."""

MOST_TRIES = 10
"""A question that failed so often is hopeless in any case: none may be asked for ever."""


class Doubts:
    """What failed since the process started and was neither answered nor given up. For one thread."""

    def __init__(self) -> None:
        self._held_against: dict[int, int] = {}
        self._tries: dict[int, int] = {}
        self._since_good: set[int] = set()
        self._tried: set[int] = set()

    @property
    def tried(self) -> Sequence[int]:
        """Questions that others should be asked before, so that an outage is not tried on one alone."""
        return sorted(self._tried)

    def failed(self, question: int) -> bool:
        """A call about it came to nothing; whether it is hopeless.

        That is held against it once for each time that something else went well: in an outage all fail.
        """
        if question not in self._since_good:
            self._held_against[question] = self._held_against.get(question, 0) + 1
        self._tries[question] = self._tries.get(question, 0) + 1
        if question in self._tried:
            # Nothing else is left to try: another round begins.
            self._tried.clear()
        self._since_good.add(question)
        self._tried.add(question)
        return self._held_against[question] >= MOST_FAILURES or self._tries[question] >= MOST_TRIES

    def good(self) -> None:
        """A call went well."""
        self._since_good.clear()
        self._tried.clear()

    def forget(self, question: int) -> None:
        """It has ended."""
        self._held_against.pop(question, None)
        self._tries.pop(question, None)
        self._since_good.discard(question)
        self._tried.discard(question)
