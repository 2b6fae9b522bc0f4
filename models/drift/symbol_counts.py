"""Annotators that suddenly say something else, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import F8, I8

SAME_FROM = 0.05
"""A block whose smallest p-value, times the number of comparisons, is above this looks like the reference."""

FAR = 3.0
"""Standard deviations from which a tail is worth computing."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A symbol's share that moved: whose, which, from what to what, over how many items."""

    key: str
    symbol: int
    before: float
    now: float
    over: int


class SymbolCounts:
    """Compares blocks of items with the reference: each symbol of each annotator against its other symbols.

    The test is the exact form of the chi-square test on two rows (hypergeometric, two-sided): chi-square
    itself is wrong far out in the tail, where the corrections below put the threshold. A block ends after a
    fixed number of items, so looking often gains nothing. Its level is `alpha` shared out so that all looks
    together stay below it: block t gets alpha / (t (t + 1)), of which each of the compared symbols gets an
    equal part (Bonferroni). So as long as the reference and the stream are independent draws of one
    population, P(any false alarm, ever) <= alpha, whatever the correlation among annotators.
    Bursts of near-copies are changes by this test.

    A shift is told once; then there is silence until a block looks like the reference again.
    """

    def __init__(self, reference: Mapping[str, I8], block_items: int, alpha: float) -> None:
        """`reference`: annotator key -> (S,) counts, abstention last; `alpha` in (0, 1)."""
        known = {key: counts for key, counts in reference.items() if counts.sum() > 0}
        sizes = np.array([len(counts) for counts in known.values()], np.int64)
        self._keys = list(known)
        self._starts = np.cumsum(sizes) - sizes
        self._lasts = sizes - 1
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self._then = np.concatenate([np.empty(0, np.int64), *known.values()])
        self._size = block_items
        self._alpha = alpha
        self._blocks = 0
        self._told = False
        self._begin()

    def update(self, matrix: NDArray[np.integer[Any]], keys: Sequence[str]) -> Shift | None:
        """Take (n, m) votes of the annotators `keys`, -1 for abstentions; the last shift told, if any.

        Annotators that the reference does not know are passed over. Raises ValueError for a vote that it
        has no count for.
        """
        columns = [column for column, key in enumerate(keys) if key in self._keys]
        places = np.array([self._keys.index(keys[column]) for column in columns], np.int64)
        votes = matrix[:, columns]
        if (votes >= self._lasts[places]).any():
            raise ValueError("drift: a vote for a class that the reference does not know")
        flat = np.where(votes < 0, self._lasts[places], votes) + self._starts[places]
        shift = None
        start = 0
        while start < len(flat):
            part = flat[start : start + self._size - self._items]
            start += len(part)
            self._items += len(part)
            self._now += np.bincount(part.ravel(), minlength=len(self._now))
            if self._items == self._size:
                shift = self._judge() or shift
        return shift

    def _begin(self) -> None:
        self._items = 0
        self._now = np.zeros_like(self._then)

    def _judge(self) -> Shift | None:
        """Compare the full block, and begin the next."""
        now, n_now, n_then = self._now, self._of_owner(self._now), self._of_owner(self._then)
        self._blocks += 1
        self._begin()
        if not len(now):
            return None
        p = exact_p(now, n_now, self._then, n_then) * len(now)
        best = int(p.argmin())
        if self._told or p[best] > self._alpha / (self._blocks * (self._blocks + 1)):
            self._told = self._told and bool(p[best] <= SAME_FROM)
            return None
        self._told = True
        owner = int(self._owner[best])
        return Shift(
            key=self._keys[owner],
            symbol=best - int(self._starts[owner]),
            before=float(self._then[best] / n_then[best]),
            now=float(now[best] / n_now[best]),
            over=int(n_now[best]),
        )

    def _of_owner(self, counts: I8) -> I8:
        """(c,) for each compared symbol, how often its annotator said anything."""
        totals = np.bincount(self._owner, counts, minlength=len(self._keys)).astype(np.int64)
        return totals[self._owner]


def exact_p(now: I8, n_now: I8, then: I8, n_then: I8) -> F8:
    """Two-sided hypergeometric p-values of `now` in `n_now` against `then` in `n_then`; (c,) each.

    Twice the smaller tail. Counts within FAR standard deviations of what both together make expect get 1:
    nearly all are, and tails take long.
    """
    both, total = now + then, n_now + n_then
    share = both / total
    deviation = np.sqrt(n_now * share * (1 - share) * n_then / total)
    far = np.abs(now - n_now * share) > FAR * deviation + 1e-9
    p = np.ones(len(now))
    if far.any():
        from scipy.stats import hypergeom

        now, n_now, both, total = now[far], n_now[far], both[far], total[far]
        low = hypergeom.cdf(now, total, both, n_now)
        high = hypergeom.sf(now - 1, total, both, n_now)
        p[far] = np.minimum(2 * np.minimum(low, high), 1.0)
    return p
