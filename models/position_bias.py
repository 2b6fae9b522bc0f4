r"""How much a judge of pairs prefers what it is shown first, learned from pairs that it saw in both orders.

A judge says that the response shown first is better with probability $\sigma(r + b)$, and
$\sigma(-r + b)$ when the same pair is turned around: r is what the pair is worth, b the judge's bias. Of its
flips, "first" both times and "second" both times stand to each other as

$$\sigma(r+b)\sigma(-r+b) : \sigma(-r-b)\sigma(r-b) = e^{2b}$$

for every r, so that their counts give b without knowing any pair's worth (the conditional likelihood of a
Rasch model with two items: G. Rasch, 1960). With all pairs equally clear, $|r| = m$, the agreements give m:
$2 \cosh m = agreements / \sqrt{firsts \cdot seconds}$. Assumes that a judge's two answers on a pair err
independently given r; a bias shared by both answers beyond that is overestimated.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.arrays import F8
from models.reward_model import sigmoid

SMOOTHING = 0.5
"""Added to each count, so that few pairs never give an infinite bias."""


@dataclass(frozen=True, slots=True)
class PositionBias:
    """A judge's leaning to the position, and how clear pairs are to it; both in log-odds.

    Attributes:
        bias: b; above 0: it prefers what is shown first.
        clarity: m >= 0; 0: its answers say nothing about the pair.
    """

    bias: float
    clarity: float

    @classmethod
    def estimate(cls, first_order: F8, turned: F8) -> Self:
        """Learn from pairs judged in both orders.

        Args:
            first_order: (n,) how far it said, in [0, 1], that the response *shown first* is better; .5 for a
                tie.
            turned: (n,) the same of the pairs turned around: 1 is for the other response now.

        Raises:
            ValueError: shapes that differ or values outside [0, 1].
        """
        _check(first_order, turned)
        firsts = float((first_order * turned).sum())
        seconds = float(((1 - first_order) * (1 - turned)).sum())
        return cls.of_counts(firsts, seconds, len(turned) - firsts - seconds)

    @classmethod
    def of_counts(cls, firsts: float, seconds: float, agreed: float) -> Self:
        """The same from how often it took the first place both times, the second both times, and neither."""
        firsts, seconds, agreed = firsts + SMOOTHING, seconds + SMOOTHING, agreed + SMOOTHING
        clarity = np.arccosh(max(agreed / (2 * np.sqrt(firsts * seconds)), 1.0))
        return cls(0.5 * float(np.log(firsts / seconds)), float(clarity))

    def corrected(self, said_first: F8) -> F8:
        """(n,) probability that the response shown first is better, from answers (n,) in one order alone.

        Before the answer both are taken to be equally likely. An answer between 0 and 1 counts as that
        share of answers.
        """
        yes, no = sigmoid(np.array([self.clarity + self.bias, self.bias - self.clarity]))
        after_first = yes / (yes + no)
        after_second = (1 - yes) / ((1 - yes) + (1 - no))
        return np.asarray(said_first * after_first + (1 - said_first) * after_second)


def averaged(first_order: F8, turned: F8) -> F8:
    """(n,) how far the first order's first response is preferred, both orders counted alike.

    Args:
        first_order, turned: (n,) in [0, 1], as in `PositionBias.estimate`. A flip gives .5: no preference.
    """
    _check(first_order, turned)
    return np.asarray((first_order + 1 - turned) / 2)


def flip_rate(first_order: F8, turned: F8) -> float:
    """Share of pairs on which the two orders do not agree on the better response; NaN without pairs."""
    _check(first_order, turned)
    if not len(first_order):
        return float("nan")
    return float((np.sign(first_order - 0.5) != -np.sign(turned - 0.5)).mean())


def _check(first_order: F8, turned: F8) -> None:
    if first_order.ndim != 1 or first_order.shape != turned.shape:
        raise ValueError(f"position: answers of shape {first_order.shape} and {turned.shape}; (n,) needed")
    for answers in (first_order, turned):
        if not ((answers >= 0) & (answers <= 1)).all():
            raise ValueError("position: answers must lie in [0, 1]")
