"""The certificate about the labels that are published as certified: those that nobody audited.

`window.verdict` speaks of everything above the threshold, audits included. Passing means that the coins
found few of the errors, so that the part without coins holds a little more than its share. "Too many errors
are left" is true or false by the coins, and a fixed-sequence test needs claims that are fixed before them.

So the claims are fixed, but lower: at threshold j it is "E_j >= m_j errors lie above it", with m_j chosen
before the coins and a little below alpha A_j. The first true one of the sequence is refuted with probability
at most delta. Otherwise every refuted claim is false, and E_j < m_j holds at all of them at once: then at
most m_j - 1 - f_j errors are published, where f_j of them were found and corrected. Whichever threshold is
taken, and however it depends on the coins, at most alpha of the labels published are wrong if

    m_j - 1 - f_j <= alpha (labels published above threshold j).

When even the lowest threshold passes, the sequence goes on there with m - 1, m - 2, ... errors: a sequence
like any other. (Confidence bounds at the end of a sequence of tests: J. Hsu, R. Berger: Stepwise confidence
intervals without multiplicity adjustment, 1999.)
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import F8, I8, Mask
from models.guarantee.binomial import most_refuting, refuted
from models.guarantee.window import Verdict, accepted_counts, last_passing, tally

SLACK = 0.25
"""By how much found errors may fall short of the most that pass, in standard deviations and one half."""


def claims(accepted: I8, p: float, alpha: float, delta: float) -> I8:
    """(t,) errors that the tests have to refute: the most with which what passes may be published.

    At the last threshold it is one more than alpha allows: there the sequence goes on by itself.

    Args:
        accepted: (t,) items above each threshold. p: probability of their coins.
    """
    if not len(accepted):
        return np.empty(0, np.int64)
    coins = np.full(len(accepted), p)
    limits = refutable(accepted, coins, alpha, delta, np.zeros(len(accepted), np.bool_))
    limits[-1] = math.floor(alpha * int(accepted[-1])) + 1
    return limits


def refutable(accepted: I8, p: F8, alpha: float, delta: float, last: Mask) -> I8:
    """(...) the most errors m with m - 1 - (found errors) <= alpha (items without a coin), on average.

    A high m is refuted more easily. Found errors are the most that still refute m; SLACK less where the
    threshold is not the `last` one, since the test stops where more are found. All of one shape.
    """
    mass = np.asarray(accepted, np.float64)
    slack = np.where(last, 0.0, SLACK * np.sqrt(alpha * mass * p) + 0.5)
    low, high = np.ones(mass.shape, np.int64), np.floor(alpha * mass).astype(np.int64) + 2
    while (high - low > 1).any():
        middle = np.maximum((low + high) // 2, 1)
        found = np.maximum(most_refuting(middle, p, delta) - slack, 0)
        fits = middle - 1 - found <= alpha * mass * (1 - p)
        low, high = np.where(fits, np.maximum(low, middle), low), np.where(fits, high, middle)
    return np.asarray(low, np.int64)


def published_verdict(
    scores: ArrayLike,
    lambdas: F8,
    limits: I8,
    start: int,
    audited: ArrayLike,
    wrong: ArrayLike,
    p: float,
    alpha: float,
    delta: float,
    tie: float,
    kept: Mask,
    proven: Mask,
) -> Verdict:
    """The lowest threshold above which at most alpha of the kept labels are wrong, at confidence 1 - delta.

    The same holds for everything above it, audits included, with the labels as they were frozen.

    Args:
        scores, lambdas, start, audited, wrong, p, alpha, delta, tie: as for `window.verdict`.
        limits: (t,) claims to refute, fixed before the coins; from 1 to alpha A_j + 1.
        kept: (n,) labels that are published if they lie above the threshold; never an audited one.
        proven: (n,) labels found wrong for certain, none of them kept. An audit that never came is no
            proof, although the test counts it as an error.

    Raises:
        ValueError: arguments that do not fit.
    """
    frozen = np.asarray(scores, np.float64)
    accepted, errors = tally(frozen, lambdas, start, audited, wrong)
    _check(limits, accepted, alpha, np.asarray(audited, np.int64), kept, proven)
    last = last_passing(limits, errors, start, p, delta, tie)
    if last is None:
        return Verdict(accepted, errors, None)
    most = limits - 1
    if last == len(limits) - 1:
        most = np.minimum(most, _bound(int(limits[last]), int(errors[last]), p, delta, tie))
    left = most - accepted_counts(frozen[proven], lambdas)
    fits = left <= alpha * accepted_counts(frozen[kept], lambdas)
    taken = np.flatnonzero(fits[start : last + 1])
    return Verdict(accepted, errors, float(lambdas[start + taken[-1]]) if len(taken) else None)


def _bound(limit: int, found: int, p: float, delta: float, tie: float) -> int:
    """Errors at most, when `limit` of them are refuted: further claims are, as long as one follows."""
    low, high = found, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refuted(middle, found, p, delta, tie) else (middle, high)
    return high - 1


def _check(limits: I8, accepted: I8, alpha: float, audited: I8, kept: Mask, proven: Mask) -> None:
    if limits.shape != accepted.shape:
        raise ValueError(f"verdict: {len(limits)} claims for {len(accepted)} thresholds")
    if len(limits) and not (limits.min() >= 1 and (limits <= alpha * accepted + 1).all()):
        raise ValueError(f"verdict: claims must lie between 1 and {alpha} of the items, and one")
    if kept[audited].any() or (kept & proven).any():
        raise ValueError("verdict: an audited or wrong label is to be published")
