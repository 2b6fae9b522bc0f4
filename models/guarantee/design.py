"""How to spend a window's audits: which items could be released, with which coins, and where to start.

Everything here follows from frozen scores and earlier windows' audits. A bad guess costs coverage, never
validity: `published_verdict` is exact for any design.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import F8, I8
from models.guarantee.binomial import most_refuting
from models.guarantee.published import claims, refutable
from models.guarantee.window import accepted_counts, expected_errors, thresholds

SPREAD = 0.3
"""How uncertain the expected errors are: standard deviation of their logarithm."""

REST = 0.1
"""Coins of items that cannot be released, beside the average coin: they show where scores are too low."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A window's terms.

    Attributes:
        lambdas: (t,) thresholds, strictly falling; what lies below the last one will not be released.
        limits: (t,) errors above each that the test has to refute.
        start: index of the first one tested.
        p: probability of the coins of items with a score of at least lambdas[-1].
        rest: probability of the other items' coins.
        share: share of the window's items expected to be released.
        chance: of releasing anything, by the best guess.
    """

    lambdas: F8
    limits: I8
    start: int
    p: float
    rest: float
    share: float
    chance: float


def design(
    scores: ArrayLike,
    history_scores: ArrayLike,
    history_wrong: ArrayLike,
    audit_share: float,
    alpha: float,
    delta: float,
) -> Design:
    """The design that is expected to spare people most, with audit_share * n audits on average.

    Audits of labels that are too doubtful to be released say nothing about the others. So coins fall
    mostly above a last threshold: the higher it lies, the more often coins fall there, and the surer the
    test, but the less can be released. Last threshold and start are chosen together.

    Args:
        scores: (n,) as frozen.
        history_scores, history_wrong: (h,) audited items of EARLIER windows; may be empty.
        audit_share: expected number of audits, as a share of the items; in (0, 1].
        alpha, delta: the claim.
    """
    frozen = np.asarray(scores, np.float64)
    lambdas = thresholds(frozen)
    if not len(lambdas):
        return Design(lambdas, np.empty(0, np.int64), 0, audit_share, audit_share, 0.0, 0.0)
    expected = expected_errors(frozen, lambdas, history_scores, history_wrong)
    return most_released(frozen, lambdas, expected, audit_share, alpha, delta)


def most_released(
    frozen: F8, lambdas: F8, expected: F8, audit_share: float, alpha: float, delta: float
) -> Design:
    """The same with (t,) errors expected above each of at least one threshold."""
    accepted = accepted_counts(frozen, lambdas)
    rest = REST * audit_share
    coins = np.minimum(1.0, (audit_share * len(frozen) - rest * (len(frozen) - accepted)) / accepted)
    chances = passing(accepted, expected, coins, alpha, delta)
    start, last, released = _best(accepted, chances, 1 - coins)
    return Design(
        lambdas[: last + 1],
        claims(accepted[: last + 1], float(coins[last]), alpha, delta),
        start,
        float(coins[last]),
        rest,
        released / len(frozen),
        float(chances[start, last]),
    )


def passing(accepted: I8, expected: F8, coins: F8, alpha: float, delta: float) -> F8:
    """(t, c) chance that each threshold passes if threshold c is the last one, with its coins.

    Args:
        accepted: (t,) items above each threshold. expected: (t,) errors among them, by the best guess.
        coins: (c,) probabilities of the coins if one of the first c thresholds is the last.
    """
    from scipy.special import pdtr

    most, tie = _limits(tuple(accepted.tolist()), tuple(coins.tolist()), alpha, delta)
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    chances = np.zeros(most.shape)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        errors = np.minimum(expected * np.exp(SPREAD * node), accepted)[:, None] * coins
        surely = np.where(most < 0, 0.0, pdtr(np.maximum(most, 0), errors))
        chances += weight * ((1 - tie) * surely + tie * pdtr(most + 1, errors))
    return chances


@lru_cache(maxsize=64)
def _limits(accepted: tuple[int, ...], coins: tuple[float, ...], alpha: float, delta: float) -> tuple[F8, F8]:
    """(t, c) both: the largest count that passes whatever the tie, and the share of ties at one more.

    Windows of one size mostly have the same counts, so that the answers are kept.
    """
    from scipy.special import bdtr

    mass, p = np.meshgrid(np.array(accepted), np.array(coins), indexing="ij")
    too_many = refutable(mass, p, alpha, delta, np.eye(*mass.shape, dtype=np.bool_))
    low = most_refuting(too_many, p, delta).astype(np.float64)
    level = np.where(low < 0, 0.0, bdtr(np.maximum(low, 0), too_many, p))
    return low, (delta - level) / (bdtr(low + 1, too_many, p) - level)


def _best(accepted: I8, chances: F8, spared: F8) -> tuple[int, int, float]:
    """Start, last threshold and expected release, where chances[j, m] is threshold j's if m is the last.

    What counts is the released labels that no coin picks, a share spared[m] of them: to audit everything
    would release much and spare nobody. Neighboring thresholds share most of their audits: getting as far
    as j is about as likely as passing at the hardest threshold on the way.
    """
    best, most = (0, 0, 0.0), -1.0
    for start in range(len(accepted)):
        steps = np.diff(accepted[start:], prepend=0)[:, None]
        so_far = np.minimum.accumulate(chances[start:], axis=0)
        released = np.diagonal(np.cumsum(so_far * steps, axis=0), offset=start)
        last = int(np.argmax(released * spared[start:]))
        if released[last] * spared[start + last] > most:
            best = (start, start + last, float(released[last]))
            most = float(released[last] * spared[start + last])
    return best
