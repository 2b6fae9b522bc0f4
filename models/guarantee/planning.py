"""What a target costs before it can be met: audits, windows, items and money until the first certificate.

Guesses in, guesses out: nothing here takes part in a certificate.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.guarantee.design import most_released
from models.guarantee.window import accepted_counts, thresholds

HOPELESS = 0.001
"""A window whose chance is lower than this is not worth waiting for."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What windows of one size promise.

    Attributes:
        window_items: size of a window. audits: expected audits in one.
        chance: that a window releases anything. share: of its items that it is expected to release.
        windows, items, total_audits, money: expected until the first certificate, the window of the
            certificate included; infinite where the chance is hopeless. Money in the unit of the price.
    """

    window_items: int
    audits: float
    chance: float
    share: float
    windows: float
    items: float
    total_audits: float
    money: float


def outlook(
    rates: ArrayLike,
    window_items: int,
    audit_share: float,
    alpha: float,
    delta: float,
    price: float = 0.0,
) -> Outlook:
    """What to expect of windows, if items are wrong as often as guessed.

    Args:
        rates: (m,) chances of being wrong of m typical items, for instance 1 - calibrated score; m >= 1.
            Stretched or thinned to the size of a window.
        window_items: 1 or more. audit_share: in (0, 1]. alpha, delta: the claim.
        price: of one audit.

    Raises:
        ValueError: no rates, or rates that are no probabilities.
    """
    guesses = np.sort(np.asarray(rates, np.float64))
    if not len(guesses) or not (guesses[0] >= 0 and guesses[-1] <= 1):
        raise ValueError("outlook: rates must be one or more probabilities")
    places = (np.arange(window_items) + 0.5) * len(guesses) / window_items
    wrong = guesses[places.astype(np.int64)]
    # Ranks, not the rates themselves: many equal guesses must not become one all-or-nothing threshold.
    scores = np.arange(window_items, 0, -1, dtype=np.float64)
    lambdas = thresholds(scores)
    expected = np.cumsum(wrong)[accepted_counts(scores, lambdas) - 1]
    plan = most_released(scores, lambdas, expected, audit_share, alpha, delta)
    windows = 1 / plan.chance if plan.chance > HOPELESS else math.inf
    audits = audit_share * window_items
    return Outlook(
        window_items=window_items,
        audits=audits,
        chance=plan.chance,
        share=plan.share,
        windows=windows,
        items=windows * window_items,
        total_audits=windows * audits,
        money=windows * audits * price if price else 0.0,
    )


def audits_to_pass(rate: float, alpha: float, delta: float, chance: float = 0.8) -> int:
    """Audits after which labels that are wrong with this rate pass with this chance, in a large window.

    Args:
        rate: true share of errors, in [0, alpha). alpha, delta: the claim. chance: in (0, 1).

    Raises:
        ValueError: a rate that is not below alpha can never be certified reliably.
    """
    from scipy.special import pdtr

    if not 0 <= rate < alpha < 1 or not 0 < delta < 1 or not 0 < chance < 1:
        raise ValueError(f"audits_to_pass: rate={rate}, alpha={alpha}, delta={delta}, chance={chance}")
    found = 0
    while True:
        audits = _audits_allowing(found, alpha, delta)
        if pdtr(found, audits * rate) >= chance:
            return audits
        found += 1


def _audits_allowing(found: int, alpha: float, delta: float) -> int:
    """Least number of audits that certify alpha although so many errors were found."""
    from scipy.special import bdtr, pdtri

    audits = max(int(pdtri(found, delta) / alpha) - found - 1, found + 1)
    while bdtr(found, audits, alpha) > delta:
        audits += 1
    return audits
