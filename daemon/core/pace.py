"""How much of a day's money a batch may spend; pure: it takes numbers, and looks at no clock.

The money of a tier is spread evenly over the items of the day. Audits come first and stand outside; a share
is kept for items that are asked to learn from; the rest is the router's.
"""

from dataclasses import dataclass

SWING = 0.2
"""The money of an item stays within this share of the day's even one: no feast after a famine."""

LEARNING_SHARE = 0.1

LEAST_PASSED = 1 / 24
"""An hour: earlier in the day the rate of arrivals is hardly known."""


def remaining_items(arrived: int, passed: float, before: float | None = None) -> float:
    """Items still expected today.

    Args:
        arrived: items that came today.
        passed: share of the day gone, 0 to 1.
        before: items of the last whole day, if known; they count as much as one hour of today.
    """
    if before is None:
        rate = arrived / max(passed, LEAST_PASSED)
    else:
        rate = (arrived + before * LEAST_PASSED) / (passed + LEAST_PASSED)
    return rate * (1 - min(passed, 1.0))


@dataclass(frozen=True, slots=True)
class Pace:
    """Money of one tier (or of all together) on one day, in one currency.

    Attributes:
        budget: of the day; None for no limit.
        audits: what audits have taken and are still expected to take today.
        spent: on everything else, reservations included.
        arrived: items that came today, without the batch at hand.
        remaining: items still expected, the batch at hand included.
    """

    budget: float | None
    audits: float
    spent: float
    arrived: int
    remaining: float

    def per_item(self) -> float | None:
        """What the next items may cost, each: what is left of the money by what is left of the day."""
        if self.budget is None:
            return None
        left = self._left() / max(self.remaining, 1.0)
        return min(max(left, (1 - SWING) * self._even()), (1 + SWING) * self._even())

    def for_arrivals(self, items: int) -> float | None:
        """For settling a batch of new items: plans, of which only the first votes are asked now."""
        each = self.per_item()
        if each is None:
            return None
        return (1 - LEARNING_SHARE) * min(max(items * each, self._unused(items)), self._left())

    def for_returns(self) -> float | None:
        """For items that come back with an answer: all that the items so far were given and did not use."""
        return None if self.budget is None else min(self._unused(0), self._left())

    def for_learning(self, items: int) -> float | None:
        """For picks to learn from among a batch of new items."""
        each = self.per_item()
        return None if each is None else LEARNING_SHARE * min(items * each, self._left())

    def _unused(self, items: int) -> float:
        """What the items so far and these were given evenly, and is not spent; saved for dear votes."""
        return max(self._even() * (self.arrived + items) - self.spent, 0.0)

    def _even(self) -> float:
        return self._money() / max(self.arrived + self.remaining, 1.0)

    def _money(self) -> float:
        return max((self.budget or 0.0) - self.audits, 0.0)

    def _left(self) -> float:
        return max(self._money() - self.spent, 0.0)
