"""From collected votes and answers to a candidate bundle where any number of classes may apply; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.arrays import F4, I8, UNKNOWN, Mask
from models.set_bundle import APPLIES
from models.training import TrainingData

SHARED = ("groups", "vectors", "audited", "fresh", "recent")


@dataclass(frozen=True, slots=True, eq=False)
class SetData:
    """Everything known of n items, of which any number of F classes may apply to each.

    Attributes:
        classes: F names in order.
        facets: one a class, over `APPLIES`: `expert` is 1 where the class applies, 0 where it does not, -1
            where no final tier said; `votes` are what was said about this class. All else is the same in all.
    """

    classes: tuple[str, ...]
    facets: tuple[TrainingData, ...]

    def __post_init__(self) -> None:
        if len(self.facets) != len(self.classes) or not self.facets:
            raise ValueError(f"training data: {len(self.facets)} facets for {len(self.classes)} classes")
        first = self.facets[0]
        known = first.expert != UNKNOWN
        for name, facet in zip(self.classes, self.facets, strict=True):
            if facet.classes != APPLIES:
                raise ValueError(f"training data: {name} is told apart in {', '.join(facet.classes)}")
            if len(facet.expert) != len(known) or ((facet.expert != UNKNOWN) != known).any():
                raise ValueError(f"training data: experts answered on other items about {name}")
            if facet.encoder != first.encoder or facet.tier_accuracy != first.tier_accuracy:
                raise ValueError(f"training data: encoder or tiers of {name} are not those of the others")
            if unlike := [each for each in SHARED if not _same(getattr(facet, each), getattr(first, each))]:
                raise ValueError(
                    f"training data: {', '.join(unlike)} of {name} are not those of {self.classes[0]}"
                )

    @property
    def n_items(self) -> int:
        """How many items there are, n."""
        return self.facets[0].votes.n_items

    @property
    def expert(self) -> I8:
        """(n,) the whole label by a final tier: bit k is set where class k applies; -1 without one."""
        bits = sum(facet.expert.astype(np.int64) << place for place, facet in enumerate(self.facets))
        return np.where(self.facets[0].expert == UNKNOWN, UNKNOWN, bits)

    @property
    def audited(self) -> Mask:
        """(n,) the expert answer came from a random blind draw."""
        return self.facets[0].audited

    @property
    def fresh(self) -> Mask:
        """(n,) audited, and the champion never saw the answer."""
        return self.facets[0].fresh

    @property
    def vectors(self) -> F4 | None:
        """(n, d) embeddings, or None."""
        return self.facets[0].vectors

    @property
    def groups(self) -> I8:
        """(n,) equal for items that must not stand on both sides of a split."""
        return self.facets[0].groups

    @property
    def tier_accuracy(self) -> Mapping[str, float]:
        """Tier name -> how often it is expected to be right about one class (`class_accuracy`)."""
        return self.facets[0].tier_accuracy

    @property
    def encoder(self) -> str | None:
        """Name of the encoder that made the vectors."""
        return self.facets[0].encoder

    @property
    def recent(self) -> Mask | None:
        """(n,) came since the stream last changed; None for all."""
        return self.facets[0].recent


def _same(one: I8 | F4 | Mask | None, other: I8 | F4 | Mask | None) -> bool:
    """Whether two columns are equal; quick where they are the same array."""
    if one is other or one is None or other is None:
        return one is other
    return np.array_equal(one, other)
