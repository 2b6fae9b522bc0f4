"""How much of a day's money may be spent by now; pure: it takes numbers, and looks at no clock.

What audits take comes first and stands outside. The rest of a tier's budget is let go in step with the items
of the day, so that those of the evening are asked about as carefully as those of the morning; a share is
kept for questions that are asked to learn from.
"""

import math
from dataclasses import dataclass

from daemon.core.states import BLIND_PURPOSES, Purpose

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
class Arrived:
    """Items so far.

    Attributes:
        today: that came today. before: that came on the last whole day.
        passed: share of the day gone, 0 to 1.
    """

    today: int
    before: int
    passed: float

    @property
    def whole_day(self) -> float:
        """Items to expect of the whole day."""
        return self.today + remaining_items(self.today, self.passed, self.before)

    @property
    def share(self) -> float:
        """Share of the day's items that have come, 0 to 1. A silent day passes, too: what was left waiting by
        busier ones is not kept from its money.
        """
        most = max(self.whole_day, float(self.before))
        return (
            1.0 if most <= 0 else min(1 - remaining_items(self.today, self.passed, self.before) / most, 1.0)
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """Money that is spent or promised of a tier's day, in any one integer currency.

    Attributes:
        audits: by blind questions, which are promised when they are made.
        learning: by questions to learn from. settling: by all others.
        audits_before: by audits on the last whole day.
    """

    audits: int = 0
    learning: int = 0
    settling: int = 0
    audits_before: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """What a tier may still promise now, in the currency of its budget; it may be below 0.

    Attributes:
        settling, learning: for each of these ends. cap: for both together.
    """

    settling: float = math.inf
    learning: float = math.inf
    cap: float = math.inf

    def for_purpose(self, purpose: Purpose) -> float:
        """For a question of this purpose; audits were paid when they were made."""
        if purpose in BLIND_PURPOSES:
            return math.inf
        return min(self.learning if purpose == Purpose.LEARN else self.settling, self.cap)

    def without(self, purpose: Purpose, price: int) -> "Left":
        """What is left when one more question is promised."""
        if purpose in BLIND_PURPOSES:
            return self
        learning = price if purpose == Purpose.LEARN else 0
        return Left(self.settling - (price - learning), self.learning - learning, self.cap - price)


def money_left(cap: int | None, taken: Taken, arrived: Arrived | None, learns: bool) -> Left:
    """What a tier may spend besides audits by now.

    Args:
        cap: of the day; None for no limit.
        taken: of it so far.
        arrived: how far the day is; None: it is not paced.
        learns: whether the tier is asked to learn from, so that a share is kept for it.
    """
    if cap is None:
        return Left()
    money = max(cap - _audits(taken, arrived), 0) * (1.0 if arrived is None else arrived.share)
    kept = LEARNING_SHARE if learns else 0.0
    return Left(
        settling=money * (1 - kept) - taken.settling,
        learning=money * kept - taken.learning,
        cap=cap - taken.audits - taken.learning - taken.settling,
    )


def _audits(taken: Taken, arrived: Arrived | None) -> int:
    """What audits have taken and will have taken by the end of the day, as on the day before by item."""
    if arrived is None or not arrived.before:
        return taken.audits
    return max(taken.audits, round(taken.audits_before * arrived.whole_day / arrived.before))
