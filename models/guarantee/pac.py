"""The whole-set claim of PAC labels: people's labels and automatic ones together have few errors.

E. Candes, A. Ilyas, T. Zrnic: Probably Approximately Correct Labels, 2025 (arXiv 2506.10908). People label
every item below a threshold, and are taken to be right; so errors above it count against the whole set,
which is a weaker claim than that of `window`: a thousand doubtful labels may hide among nine thousand
labels given by people. Here with the same coins and the same exact test, so that the two can be compared.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import F8
from models.guarantee.window import Verdict, last_passing, tally


def whole_set_verdict(
    scores: ArrayLike,
    lambdas: F8,
    audited: ArrayLike,
    wrong: ArrayLike,
    p: float,
    eps: float,
    delta: float,
    tie: float = 1.0,
) -> Verdict:
    """The lowest threshold at which at most eps of ALL n items are wrong, at confidence 1 - delta.

    Errors only grow as the threshold falls, so that the test needs no planned start: the first threshold
    with more than eps n errors must be passed before any other wrong one. With probability at most delta
    over the coins the labels above tau hold more than eps n errors.

    Args:
        scores, lambdas, audited, wrong, p, delta, tie: as for `window.verdict`.
        eps: share of the whole set, in (0, 1).
    """
    accepted, errors = tally(scores, lambdas, 0, audited, wrong)
    too_many = np.full(len(accepted), math.floor(eps * len(np.asarray(scores))) + 1)
    last = last_passing(too_many, errors, 0, p, delta, tie)
    return Verdict(accepted, errors, None if last is None else float(lambdas[last]))
