"""Exact bounds on the number of errors from independently audited items."""

import math
from functools import lru_cache

import numpy as np

from models.arrays import F8, I8


@lru_cache(maxsize=65_536)
def error_upper_bound(found: int, p: float, delta: float) -> int:
    """Largest number of true errors that finding so few of them is still compatible with.

    If each of E errors is found by an independent coin of probability p, `found` is Binomial(E, p) and
    the result is max{E : P(Binomial(E, p) <= found) >= delta}: it is below E with probability at most delta.

    Args:
        found: errors found, 0 or more.
        p: in (0, 1].
        delta: in (0, 1).

    Raises:
        ValueError: an argument is out of its range.
    """
    if found < 0 or not 0 < p <= 1 or not 0 < delta < 1:
        raise ValueError(f"error_upper_bound: found={found}, p={p}, delta={delta} is out of range")
    low, high = found, max(10, 4 * math.ceil((found + 5) / p))
    while _at_most(found, high, p) >= delta:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        if _at_most(found, middle, p) >= delta:
            low = middle
        else:
            high = middle
    return low


def refuted(errors: int, found: int, p: float, delta: float, tie: float = 1.0) -> bool:
    """Whether finding so few errors refutes that there are `errors` of them, or more.

    Where there are that many, this is true with probability at most delta over the coins; it is exactly
    delta with a `tie` drawn uniformly from [0, 1) after everything else was fixed. Counts are whole numbers,
    so that a test without a tie is stricter than it need be (randomized test: E. Lehmann, J. Romano, Testing
    Statistical Hypotheses, section 3.2). A tie of 1 says what `error_upper_bound(found, p, delta) < errors`
    says.
    """
    chance = _at_most(found, errors, p)
    if tie < 1:
        below = _at_most(found - 1, errors, p) if found else 0.0
        chance = below + tie * (chance - below)
    return chance < delta


def most_refuting(errors: I8, p: F8, delta: float) -> I8:
    """(...) the most found errors that refute `errors` of them whatever the tie; -1 where none do.

    Args:
        errors: 1 or more. p: probability of the coins; both of one shape.
    """
    from scipy.special import bdtr

    low, high = np.full(errors.shape, -1, np.int64), np.asarray(errors, np.int64)
    while (high - low > 1).any():
        middle = np.maximum((low + high) // 2, 0)
        passes = bdtr(middle.astype(np.float64), errors, p) < delta
        low, high = np.where(passes, np.maximum(low, middle), low), np.where(passes, high, middle)
    return low


def audits_needed(alpha: float, delta: float) -> int:
    """Audits without a single error found that certify an error of at most alpha at confidence 1 - delta."""
    if not 0 < alpha < 1 or not 0 < delta < 1:
        raise ValueError(f"audits_needed: alpha={alpha}, delta={delta} must lie between 0 and 1")
    return math.ceil(math.log(delta) / math.log1p(-alpha))


def _at_most(found: int, errors: int, p: float) -> float:
    """P(Binomial(errors, p) <= found), by the regularized incomplete beta function."""
    from scipy.special import betainc

    return 1.0 if found >= errors else float(betainc(errors - found, found + 1, 1 - p))
