"""Whether somebody seems to click without reading: answers too fast, or too much the same.

Both are tests against what the other people of the tier do, at a chance of false alarm below `LEVEL` each
time that somebody who answers as they do is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from models.arrays import F8, I8

LEVEL = 1e-4
FAST_SHARE = 0.05
"""Of the others' answers, how many are the fast ones; half of the slowest of these is too fast to read."""
FEWEST = 20
FEWEST_OTHERS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """n answers in the order in which they were given: seconds (n,), labels (n,)."""

    seconds: F8
    labels: I8


def suspicions(own: Given, others: Given) -> list[str]:
    """What looks like clicking, in words; nothing for fewer than 20 answers, or 100 of others."""
    if len(own.labels) < FEWEST or len(others.labels) < FEWEST_OTHERS:
        return []
    return [told for told in (_too_fast(own, others), _too_same(own, others)) if told]


def _too_fast(own: Given, others: Given) -> str:
    """By a binomial test: at most 5 % of the others' answers are below the limit."""
    from scipy.special import bdtrc

    limit = float(np.quantile(others.seconds, FAST_SHARE)) / 2
    fast = int((own.seconds < limit).sum())
    if bdtrc(fast - 1, len(own.seconds), FAST_SHARE) >= LEVEL:
        return ""
    return f"{fast} of {len(own.seconds)} answers in less than {limit:.1f} s"


def _too_same(own: Given, others: Given) -> str:
    """By the union bound over where the longest run of one label may begin.

    The label's share among others is taken at the upper end of its 95 % interval (Wilson's).
    """
    label, length = longest_run(own.labels.tolist())
    count = int((others.labels == label).sum())
    share = _at_most(count, len(others.labels))
    if (len(own.labels) - length + 1) * share**length >= LEVEL:
        return ""
    return f"{length} times the same answer in a row"


def _at_most(count: int, n: int) -> float:
    """Upper end of Wilson's 95 % interval of a share. By hand: `scipy.stats` takes long to load."""
    share, z = count / n, NormalDist().inv_cdf(0.975)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (share + z * z / (2 * n) + half) / (1 + z * z / n)


def longest_run(labels: Sequence[int]) -> tuple[int, int]:
    """The label that was given most often in a row, and how often; (-1, 0) of nothing."""
    best, current = (-1, 0), (-1, 0)
    for label in labels:
        current = (label, current[1] + 1) if label == current[0] else (label, 1)
        best = max(best, current, key=lambda run: run[1])
    return best
