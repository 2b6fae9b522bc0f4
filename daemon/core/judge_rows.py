"""What judges of pairs said in both orders, and what that tells of their position bias."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from labeling_functions.pairs import A, B
from models.position_bias import SMOOTHING, PositionBias

Z95 = 1.959964
"""Of a two-sided interval at 95 %."""


@dataclass(frozen=True, slots=True)
class BothOrders:
    """What a judge said about one pair.

    Attributes:
        said: label (A 0, B 1, tie 2, -1 none) with A read first, and with B read first.
        first: how likely it prefers what it reads first, in the same orders; a tie counts half.
    """

    said: tuple[int, int]
    first: tuple[float, float]


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """A judge over all pairs that it was asked about in both orders; at least one.

    Attributes:
        name, version: the annotator's.
        pairs: number. flips: pairs on which the orders contradict each other: A in one, B in the other.
        first: flips by which it took the first place both times.
        firsts, seconds: the same with its own probabilities: expected pairs for which it takes the first
            place both times, and the second.
    """

    name: str
    version: str
    pairs: int
    flips: int
    first: int
    firsts: float
    seconds: float

    @property
    def flip_share(self) -> float:
        """Contradictions among pairs, 0 to 1."""
        return self.flips / self.pairs

    @property
    def bias(self) -> float:
        """Leaning to the first place in log-odds, see `models.position_bias`; 0: none."""
        return PositionBias.of_counts(self.firsts, self.seconds, self.pairs - self.firsts - self.seconds).bias

    @property
    def interval(self) -> tuple[float, float]:
        """Of the bias, at 95 %, by the normal approximation of the log of a ratio of counts."""
        half = 0.5 * Z95 * math.sqrt(1 / (self.firsts + SMOOTHING) + 1 / (self.seconds + SMOOTHING))
        return self.bias - half, self.bias + half


def judge_record(name: str, version: str, judged: Sequence[BothOrders]) -> JudgeRecord:
    """Of pairs at hand."""
    flips = [one for one in judged if set(one.said) == {A, B}]
    return JudgeRecord(
        name,
        version,
        pairs=len(judged),
        flips=len(flips),
        first=sum(one.said[0] == A for one in flips),
        firsts=sum(one.first[0] * one.first[1] for one in judged),
        seconds=sum((1 - one.first[0]) * (1 - one.first[1]) for one in judged),
    )
