"""Intervals over groups drawn anew: items of one group stand or fall together."""

import numpy as np

from models.arrays import F8, I8

DRAWS = 1_000
LEVEL = (0.025, 0.975)


def drawn_groups(groups: I8, draws: int = DRAWS, seed: int = 0) -> I8:
    """(draws, n) how often each of n items counts when groups (n,) are drawn anew, with replacement."""
    _, index = np.unique(groups, return_inverse=True)
    n_groups = int(index.max(initial=-1)) + 1
    random = np.random.default_rng(seed)
    return random.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=draws)[:, index]


def interval(values: F8, drawn: I8) -> tuple[float, float, float]:
    """Mean of (n,) values and its 95 % interval over `drawn_groups`; NaN values are left out.

    All NaN where there is no value.
    """
    there = ~np.isnan(values)
    if not there.any():
        return float("nan"), float("nan"), float("nan")
    counts = drawn[:, there]
    some = counts.sum(axis=1) > 0
    means = (counts[some] @ values[there]) / counts[some].sum(axis=1)
    low, high = np.quantile(means, LEVEL)
    return float(values[there].mean()), float(low), float(high)
