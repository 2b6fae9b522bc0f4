"""The certificate of one window: thresholds, coins and a fixed-sequence test of audited errors.

The order of steps carries the guarantee: scores and labels are frozen; thresholds, start and the coins'
probabilities follow from them (and from earlier windows) alone; only then the seed of the coins is drawn.
With independent coins of one known probability for every item that could be released, P(error among the
certified > alpha) <= delta over the coins alone, whatever the scores are worth and however the data drift.
Items below the last threshold can never be released, so that their coins may be rarer.

"The certified" are all items above the threshold, audited ones included, with their frozen labels. For the
unaudited among them alone it can be false more often than that, the more so the larger p is: passing means
that the audited part had luck. `published` has the test for them, which new windows use; this one judges
windows that were frozen before there was the other.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import F8, I8, Mask
from models.calibration import fit_calibration
from models.guarantee.binomial import refuted

CAUTION = 1.5
"""Without history, labels are taken to be wrong this much more often than their scores say."""

FLOOR = 0.005
"""Least expected share of errors at any score."""

BELIEF_AUDITS = 20.0
"""How many audits the belief above is worth beside those of earlier windows."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the audits allow.

    Attributes:
        accepted: (t,) A_j, frozen items with a score of at least lambda_j, audited ones included.
        errors: (t,) k_j, audited ones among them whose frozen label was wrong.
        tau: the lowest threshold that passed; items with score >= tau are certified. None if none passed.
    """

    accepted: I8
    errors: I8
    tau: float | None


def thresholds(scores: ArrayLike, most: int = 50) -> F8:
    """(t,) strictly falling thresholds, t <= most, that accept about evenly growing shares of the items.

    Each is one of the scores and the last accepts everything; empty without scores.
    """
    falling = np.sort(np.asarray(scores, np.float64))[::-1]
    if not len(falling):
        return falling
    if not np.isfinite(falling).all():
        raise ValueError("thresholds: scores must be finite numbers")
    ranks = np.ceil(np.arange(1, most + 1) * len(falling) / most).astype(np.int64) - 1
    return np.asarray(np.unique(falling[np.maximum(ranks, 0)])[::-1])


def accepted_counts(scores: ArrayLike, lambdas: F8) -> I8:
    """(t,) how many scores are at least each threshold; ties are in."""
    rising = np.sort(np.asarray(scores, np.float64))
    return np.asarray(len(rising) - np.searchsorted(rising, lambdas, side="left"), np.int64)


def expected_errors(
    scores: ArrayLike, lambdas: F8, history_scores: ArrayLike, history_wrong: ArrayLike
) -> F8:
    """(t,) errors expected above each threshold, from earlier windows' audits.

    The error rate falls with the score along a curve through past audits (`fit_calibration`), mixed with a
    cautious belief, CAUTION * (1 - score) + FLOOR, that fades as audits gather. It only plans: a bad guess
    costs coverage, never validity. Coins depend on scores alone, so that at each score the audited are an
    even sample, and audits count alike. Weighing them by 1 / p, which evens out the scores, would let the few
    audits of hopeless items bend the curve where it matters; in simulations it made no difference.

    Args:
        scores: (n,) frozen scores of this window.
        lambdas: (t,) thresholds.
        history_scores, history_wrong: (h,) audited items of EARLIER windows; may be empty.
    """
    rising = np.sort(np.asarray(scores, np.float64))
    past, missed = np.asarray(history_scores, np.float64), np.asarray(history_wrong, np.bool_)
    believed = np.minimum(1.0, CAUTION * (1 - rising) + FLOOR)
    trust = len(past) / (len(past) + BELIEF_AUDITS)
    rates = trust * (1 - fit_calibration(past, ~missed).apply(rising)) + (1 - trust) * believed
    from_top = np.concatenate([[0.0], np.cumsum(rates[::-1])])
    return np.asarray(from_top[accepted_counts(rising, lambdas)])


def start_index(accepted: ArrayLike, expected: ArrayLike, p: float, alpha: float, delta: float) -> int:
    """Index of the threshold where the test starts: the one most likely to pass, in standard errors."""
    mass, errors = np.asarray(accepted, np.float64), np.asarray(expected, np.float64)
    if not len(mass):
        return 0
    spare = math.log(1 / delta)
    margin = (alpha * mass * p - errors * p - spare / 2) / np.sqrt(errors * p + spare)
    return int(np.argmax(margin))


def coin_shares(scores: ArrayLike, lambdas: F8, p: float, rest: float) -> F8:
    """(n,) probability of each item's coin: p where it could be released, `rest` below the last threshold."""
    frozen = np.asarray(scores, np.float64)
    return np.where(frozen >= lambdas[-1], p, rest) if len(lambdas) else np.full(len(frozen), rest)


def toss(seed: int, n: int, p: float | F8) -> Mask:
    """(n,) independent coins with probability p (one, or one each); the same for a seed, on any machine."""
    return np.asarray(np.random.Generator(np.random.PCG64(seed)).random(n) < p)


def tie_coin(seed: int, n: int) -> float:
    """A number in [0, 1) for `verdict`, independent of the n coins of the same seed."""
    return float(np.random.Generator(np.random.PCG64(seed)).random(n + 1)[n])


def verdict(
    scores: ArrayLike,
    lambdas: F8,
    start: int,
    audited: ArrayLike,
    wrong: ArrayLike,
    p: float,
    alpha: float,
    delta: float,
    tie: float = 1.0,
) -> Verdict:
    """Fixed-sequence test: from `start` on, lower the threshold while the coins refute too many errors.

    At each threshold the claim to refute is "more than alpha A_j labels are wrong". Take the first
    threshold of the sequence where it is true, if there is any: a wrong release must pass there, and passing
    there has probability at most delta. So looking at many thresholds costs nothing.

    Args:
        scores: (n,) as frozen.
        lambdas: (t,) strictly falling. start: 0..t-1.
        audited: (a,) indices of the items whose coins fell; all of them.
        wrong: (a,) whether the audit contradicts the frozen label; True for audits that never came.
        p: probability of the coins at and above the last threshold. alpha, delta: the window's claim.
        tie: `tie_coin` of the window's seed; 1 for the stricter test without it.

    Raises:
        ValueError: arguments that do not fit; a certificate must not rest on a slip.
    """
    accepted, errors = tally(scores, lambdas, start, audited, wrong)
    too_many = np.floor(alpha * accepted).astype(np.int64) + 1
    last = last_passing(too_many, errors, start, p, delta, tie)
    return Verdict(accepted, errors, None if last is None else float(lambdas[last]))


def tally(scores: ArrayLike, lambdas: F8, start: int, audited: ArrayLike, wrong: ArrayLike) -> tuple[I8, I8]:
    """(t,) items and (t,) found errors above each threshold; arguments and errors are those of `verdict`."""
    frozen = np.asarray(scores, np.float64)
    steps = np.asarray(lambdas, np.float64)
    picked, missed = np.asarray(audited, np.int64), np.asarray(wrong, np.bool_)
    _check(frozen, steps, start, picked, missed)
    return accepted_counts(frozen, steps), accepted_counts(frozen[picked[missed]], steps)


def last_passing(too_many: I8, errors: I8, start: int, p: float, delta: float, tie: float) -> int | None:
    """Last threshold from `start` on, without a gap, at which `too_many` (t,) errors are refuted."""
    last = None
    for index in range(start, len(too_many)):
        if not refuted(int(too_many[index]), int(errors[index]), p, delta, tie):
            break
        last = index
    return last


def _check(scores: F8, lambdas: F8, start: int, audited: I8, wrong: Mask) -> None:
    if audited.shape != wrong.shape:
        raise ValueError(f"verdict: {len(audited)} audits but {len(wrong)} results")
    if len(np.unique(audited)) != len(audited):
        raise ValueError("verdict: an item is audited twice")
    if len(audited) and not 0 <= audited.min() <= audited.max() < len(scores):
        raise ValueError(f"verdict: an audit lies outside the {len(scores)} frozen items")
    if (np.diff(lambdas) >= 0).any():
        raise ValueError("verdict: thresholds must fall strictly")
    if not 0 <= start < max(len(lambdas), 1):
        raise ValueError(f"verdict: start {start} is outside the {len(lambdas)} thresholds")
