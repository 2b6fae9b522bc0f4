"""Definition of a labeling task: what is asked, and which answers there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labeling_functions.label_space import MOST_IN_A_SET, NONE, LabelSpace

ABSTAIN = -1
"""A function's vote when it has nothing to say (snorkel's convention)."""

CLASSIFICATION, PREFERENCE, RATING, MATCHING = "classification", "preference", "rating", "matching"
MULTILABEL = "multilabel"

KINDS = (CLASSIFICATION, MULTILABEL, PREFERENCE, RATING, MATCHING)
"""Kinds of task that this version labels."""

PREFERENCE_CLASSES = ("A", "B", "tie")
"""Classes of every preference task: the first response is better, the second, neither."""


MOST_CLASSES = 127
"""A class index is one signed byte."""


@dataclass(frozen=True, slots=True)
class Task:
    """What annotators of every kind are asked.

    Attributes:
        name: short name; names the MLflow experiment and registered model.
        classes: class names in order; a class index is a position in this tuple. 2 to 127 of them. A
            preference task has A, B and tie; its file may leave them out. Those of a rating go from the
            least to the most; a number n stands for 1 to n.
        kind: `classification` of items, `multilabel` where any number of the classes (62 at most) may apply,
            `preference` between the two responses of a pair, `rating` on a scale, where an error costs as
            many steps as it is away, or `matching`, the classification of two texts by how they belong
            together.
        guidelines: what people (and language models) read before they answer; Markdown.
        descriptions: class name -> one sentence on what belongs there.
        scale: whether people compare the responses of a preference task on five points, from A much better to
            B much better, and not by A, B or tie.
    """

    name: str
    classes: tuple[str, ...]
    kind: str = CLASSIFICATION
    guidelines: str = ""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    scale: bool = False

    def __post_init__(self) -> None:
        self._check_classes()
        if self.kind not in KINDS:
            raise ValueError(f"kind: {self.kind!r} is not one of {', '.join(KINDS)}")
        if self.kind == MULTILABEL:
            self._check_set()
        if self.kind == PREFERENCE and self.classes != PREFERENCE_CLASSES:
            raise ValueError(
                f"classes: {', '.join(self.classes)} given; a preference task always has "
                f"{', '.join(PREFERENCE_CLASSES)}, in this order: leave `classes` out"
            )
        if self.scale and self.kind != PREFERENCE:
            raise ValueError(f"scale: is for preference tasks, and this one is of kind {self.kind}")
        if unknown := set(self.descriptions) - set(self.classes):
            raise ValueError(f"descriptions: {', '.join(sorted(unknown))} is not among the classes")

    def _check_classes(self) -> None:
        if not 2 <= len(self.classes) <= MOST_CLASSES:
            raise ValueError(f"classes: {len(self.classes)} given; a task has 2 to {MOST_CLASSES} classes")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes: {', '.join(self.classes)} has a name twice; names must differ")

    def _check_set(self) -> None:
        if len(self.classes) > MOST_IN_A_SET:
            raise ValueError(
                f"classes: {len(self.classes)} given; a multilabel task has at most {MOST_IN_A_SET}"
            )
        if NONE in self.classes:
            raise ValueError(
                f"classes: {NONE!r} is what a multilabel task calls a label without any class; leave it out"
            )

    @property
    def is_ordered(self) -> bool:
        """Whether the classes are steps of a scale."""
        return self.kind == RATING

    @property
    def space(self) -> LabelSpace:
        """What labels there are."""
        return LabelSpace(self.classes, sets=self.kind == MULTILABEL)

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return len(self.classes)
