"""When people need no longer be asked only so that the models learn. Audits go on whatever this says."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.arrays import I8

WINDOWS = 3
FLAT_WITHIN = 0.02
"""Shares that differ by no more are the same: a window's coins move its threshold by about as much."""

RETRAININGS = 3
STEADY_FROM = 0.99
MOVING_BELOW = 0.95
"""When the last retraining changed more than this lets pass, a flat certified share proves nothing."""
FEWEST_ITEMS = 100
"""On fewer items, 99 % says nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether learning picks may stop, and why or why not, in words."""

    stop: bool
    reason: str


def enough_learned(
    certified_shares: Sequence[float], predictions: Sequence[I8], drifting: bool = False
) -> Verdict:
    """Stop when either sign says that more answers would change nothing.

    Nothing is remembered from one call to the next: learning goes on as soon as the signs are gone, the
    stream drifts, or the last retraining moved many predictions.

    Args:
        certified_shares: as `flat` wants them. predictions: as `steady` wants them.
        drifting: an alarm of drift is open.
    """
    if drifting:
        return Verdict(False, "a drift alarm is open")
    moved = _last_agreement(predictions)
    if moved is not None and moved < MOVING_BELOW:
        return Verdict(False, f"the last retraining changed predictions (same labels: {moved:.1%})")
    signs = (flat(certified_shares), steady(predictions))
    for sign in signs:
        if sign.stop:
            return sign
    return Verdict(False, "; ".join(sign.reason for sign in signs))


def flat(certified_shares: Sequence[float]) -> Verdict:
    """Whether the certified share stood still over the last WINDOWS windows.

    Windows that certify nothing show that the target is not met, not that there is nothing to learn.

    Args:
        certified_shares: share of each closed window's items that it released, in [0, 1], oldest first.
    """
    if len(certified_shares) < WINDOWS:
        return Verdict(False, f"{len(certified_shares)} of {WINDOWS} windows closed so far")
    last = np.asarray(certified_shares[-WINDOWS:], np.float64)
    said = ", ".join(f"{share:.1%}" for share in last)
    if last.min() <= 0:
        return Verdict(False, f"nothing was certified in one of the last {WINDOWS} windows ({said})")
    if np.ptp(last) > FLAT_WITHIN + 1e-9:
        return Verdict(False, f"the certified share still moves ({said})")
    return Verdict(True, f"the certified share was flat over the last {WINDOWS} windows ({said})")


def steady(predictions: Sequence[I8]) -> Verdict:
    """Whether the last RETRAININGS retrainings left the labels of a fixed set as they were.

    Models that give all items one class agree by being useless, so they never count.

    M. Bloodgood, K. Vijay-Shanker: A method for stopping active learning based on stabilizing predictions
    and the need for user-adjustable stopping. CoNLL 2009, arXiv 1409.5165.

    Args:
        predictions: (n,) labels of the same n items by each model, oldest first; n about 500.

    Raises:
        ValueError: the models were not asked about the same number of items.
    """
    last = predictions[-RETRAININGS - 1 :]
    if len({len(labels) for labels in last}) > 1:
        raise ValueError(f"stopping: predictions on {[len(labels) for labels in last]} items, must be equal")
    if len(last) <= RETRAININGS:
        return Verdict(False, f"{max(len(last) - 1, 0)} of {RETRAININGS} retrainings so far")
    if len(last[0]) < FEWEST_ITEMS:
        return Verdict(False, f"{len(last[0])} of {FEWEST_ITEMS} fixed items to compare models on")
    if any(len(np.unique(labels)) < 2 for labels in last):
        return Verdict(False, f"one of the last {len(last)} models gives every item the same label")
    agreed = [float((a == b).mean()) for a, b in pairwise(last)]
    said = ", ".join(f"{share:.1%}" for share in agreed)
    if min(agreed) < STEADY_FROM:
        return Verdict(False, f"retraining still changes predictions (same labels: {said})")
    return Verdict(
        True, f"{RETRAININGS} retrainings left the labels of {len(last[0])} items as they were ({said})"
    )


def _last_agreement(predictions: Sequence[I8]) -> float | None:
    """Share of equal labels by the last two models; None where there are too few to say."""
    if len(predictions) < 2 or not len(predictions[-1]) == len(predictions[-2]) >= FEWEST_ITEMS:
        return None
    return float((predictions[-1] == predictions[-2]).mean())
