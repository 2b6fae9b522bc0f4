"""What decisions go by besides the evidence: the tiers, the promise, and where messages go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from daemon.core.settings import DriftSettings, GuaranteeSettings, RoutingSettings, TierSettings
from labeling_functions.label_space import LabelSpace
from labeling_functions.task import CLASSIFICATION, MULTILABEL, RATING
from models.cost import cost_matrix, distances

Partitions = Callable[[str, Sequence[bytes]], list[int]]
"""Topic and keys to the partition of each."""

AUDIT_PRIORITY = 20.0
GOLD_PRIORITY = 10.0
"""Random blind questions come before all others; those of windows, for which labels wait, first."""
LEARN_PRIORITY = GOLD_PRIORITY * (1 - 1e-10)
"""Few are picked to learn from: they come before whatever is to be settled."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Names of the topics that the loop writes, and how keys find their partitions.

    `when_held`: tiers whose questions are told of when they are held for those who answer, not before.
    """

    labels: str
    questions: str
    dead_letters: str
    partitions: Partitions
    when_held: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of all decisions. At least one tier is final; `kind` is the task's."""

    classes: tuple[str, ...]
    tiers: Mapping[str, TierSettings]
    guarantee: GuaranteeSettings
    routing: RoutingSettings
    drift: DriftSettings = field(default_factory=DriftSettings)
    kind: str = CLASSIFICATION

    @property
    def space(self) -> LabelSpace:
        """What labels there are."""
        return LabelSpace(self.classes, sets=self.kind == MULTILABEL)

    @property
    def cost(self) -> NDArray[np.float64] | None:
        """(K, K) what a label costs under each truth; None where every error costs the same.

        Ratings cost as many steps as they are away, unless the settings say what errors cost.
        """
        if self.routing.costs:
            return cost_matrix(self.classes, self.routing.costs)
        return distances(len(self.classes)) if self.kind == RATING else None

    @property
    def steps(self) -> NDArray[np.float64]:
        """(K,) what the classes of a scale stand for: the numbers that they are called, or 1 to K."""
        try:
            return np.array([float(name) for name in self.classes])
        except ValueError:
            return np.arange(1.0, len(self.classes) + 1)

    def option_accuracy(self, tier: str) -> float:
        """How often an answer of this tier is right in one facet, if it errs in each by itself.

        What the settings call accuracy is about the whole answer.
        """
        return float(self.tiers[tier].accuracy ** (1 / self.space.n_facets))

    @property
    def accuracies(self) -> dict[str, float]:
        """How often whole answers of each tier are expected to be right."""
        return {name: tier.accuracy for name, tier in self.tiers.items()}

    @property
    def option_accuracies(self) -> dict[str, float]:
        """`option_accuracy` of every tier by its name."""
        return {name: self.option_accuracy(name) for name in self.tiers}

    @property
    def ladder(self) -> tuple[str, ...]:
        """Tiers in the order in which a doubtful item climbs them: cheap first, ending at a final one. Those
        that are never asked are missing; what they answered counts all the same.
        """
        below = [name for name, tier in self.tiers.items() if not tier.final and tier.when != "never"]
        return (*sorted(below, key=lambda name: self.tiers[name].price), self.final_tier)

    @property
    def final_tiers(self) -> frozenset[str]:
        """Tiers whose answers are the truth."""
        return frozenset(name for name, tier in self.tiers.items() if tier.final)

    @property
    def final_tier(self) -> str:
        """The cheapest tier whose answers are the truth; audits go there."""
        return min(sorted(self.final_tiers), key=lambda name: self.tiers[name].price)
