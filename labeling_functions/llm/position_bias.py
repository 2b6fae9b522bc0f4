"""How much a judge of pairs goes by the place of a response."""

from collections.abc import Sequence
from dataclasses import dataclass

from labeling_functions.llm.pairwise import flipped
from labeling_functions.llm.preference import PairVote
from labeling_functions.pairs import A


@dataclass(frozen=True, slots=True)
class PositionBias:
    """Counts over judged pairs.

    Attributes:
        pairs: pairs of which both orders parsed.
        flips: of those, pairs for which the judge preferred another response in the other order.
        first: of the flips, pairs for which it preferred what it read first, both times.
    """

    pairs: int
    flips: int
    first: int

    @property
    def flip_share(self) -> float | None:
        """Flips among pairs, 0 to 1; None without pairs."""
        return self.flips / self.pairs if self.pairs else None

    @property
    def first_share(self) -> float | None:
        """Choices of the first position among flips: .5 without bias; None without flips."""
        return self.first / self.flips if self.flips else None


def position_bias(votes: Sequence[PairVote]) -> PositionBias:
    """The bias that the votes of a `PairwiseJudge` show."""
    whole = [vote for vote in votes if vote.parsed]
    flips = [vote for vote in whole if flipped(vote.said)]
    # the first reply is about the order A, B: a flip that says A there took the first place both times
    return PositionBias(len(whole), len(flips), sum(vote.said[0] == A for vote in flips))
