"""Labels as numbers: the index of a class, or which of the classes apply."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
"""In a column of labels: there is none."""

MOST_IN_A_SET = 62
"""Classes of a multilabel task: one bit each of a number of 64."""

NONE = "none"
"""What a label without any class is called where people read it."""

APPLIES = ("no", "yes")
"""The two options of each class of a multilabel task."""

I1 = NDArray[np.int8]
I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """What labels a task has.

    A label is one whole number wherever it is passed on. Of a task with one class an item it is the index of
    the class. Of a multilabel task it has one bit a class: class k applies where bit k is set, and 0 says
    that none does. What is decided by itself is a facet: one with K options, or one a class with two options
    (0: it does not apply, 1: it does).

    Attributes:
        classes: names in order.
        sets: any number of the classes may apply to an item.
    """

    classes: tuple[str, ...]
    sets: bool = False

    @property
    def n_facets(self) -> int:
        """F: 1, or the number of classes of a multilabel task."""
        return len(self.classes) if self.sets else 1

    @property
    def options(self) -> tuple[str, ...]:
        """What each facet's options are called; K of them."""
        return APPLIES if self.sets else self.classes

    def facet(self, labels: I8, facet: int) -> I8:
        """(n,) option of one facet in each of (n,) labels; UNKNOWN where there is no label."""
        if not self.sets:
            return labels
        return np.where(labels == UNKNOWN, UNKNOWN, labels >> facet & 1)

    def spread(self, labels: I8) -> I1:
        """(n, F) options of (n,) labels; none of them may be UNKNOWN."""
        return spread(labels, self.n_facets)

    def members(self, label: int) -> tuple[int, ...]:
        """Indices of the classes that a label names, in order."""
        if not self.sets:
            return (label,)
        return tuple(place for place in range(len(self.classes)) if label >> place & 1)

    def said(self, label: int) -> str | list[str]:
        """A label as messages tell it: the name of its class, or a list of those that apply."""
        names = [self.classes[place] for place in self.members(label)]
        return names if self.sets else names[0]

    def text(self, label: int) -> str:
        """A label in words."""
        return ", ".join(self.classes[place] for place in self.members(label)) or NONE

    def by_class(self, posterior: Sequence[float]) -> list[float]:
        """(C,) how likely each class is, or of a multilabel task that it applies, from (F*K,)."""
        return [*posterior[1::2]] if self.sets else [*posterior]

    def posterior(self, said: Sequence[float]) -> list[float]:
        """(F*K,) of (C,) probabilities of each class, or of a multilabel task that it applies; `by_class`
        backwards."""
        return [part for applies in said for part in (1 - applies, applies)] if self.sets else [*said]

    def sureness(self, label: int, said: Sequence[float]) -> float:
        """How sure of a label somebody is who says how likely each of (C,) classes is, or of a multilabel
        task that it applies: of a set as sure as of its least sure class."""
        if not self.sets:
            return said[label]
        return min(likely if label >> place & 1 else 1 - likely for place, likely in enumerate(said))

    def likely(self, label: int, posterior: Sequence[float]) -> float:
        """How likely a label is as a whole, from (F*K,), as if facets were independent."""
        width = len(self.options)
        chosen = spread(np.array([label]), self.n_facets)[0].tolist()
        return float(math.prod(posterior[facet * width + option] for facet, option in enumerate(chosen)))

    def sides(self, options: Sequence[int]) -> tuple[list[str], list[str]]:
        """Of a multilabel task: the classes that (F,) options say apply, and those that they say do not."""
        named = list(zip(self.classes, options, strict=True))
        return [name for name, said in named if said == 1], [name for name, said in named if said == 0]

    def label_of(self, said: str | Sequence[str]) -> int:
        """The label that a class name, or of a multilabel task a list of names, stands for.

        Raises ValueError, naming the classes, for anything else.
        """
        if self.sets == isinstance(said, str):
            wanted = "a list of class names" if self.sets else "the name of a class"
            raise ValueError(f"label: {said!r} given; {wanted} is wanted: {', '.join(self.classes)}")
        names = [said] if isinstance(said, str) else list(said)
        if unknown := [name for name in names if name not in self.classes]:
            raise ValueError(f"label: {unknown[0]!r} is not a class of this task: {', '.join(self.classes)}")
        places = [self.classes.index(name) for name in names]
        return set_of(places) if self.sets else places[0]


def set_of(places: Sequence[int]) -> int:
    """The label of a multilabel task in which exactly these classes apply."""
    return sum(1 << place for place in set(places))


def spread(labels: I8, n_facets: int) -> I1:
    """(n, F) options of (n,) labels; with one facet the labels themselves."""
    column = np.asarray(labels, np.int64)[:, None]
    return (column if n_facets == 1 else column >> np.arange(n_facets) & 1).astype(np.int8)


def joined(options: NDArray[np.integer]) -> I8:
    """(n,) labels of (n, F) options; `spread` backwards."""
    wide = np.asarray(options, np.int64)
    return wide[:, 0] if wide.shape[1] == 1 else (wide << np.arange(wide.shape[1])).sum(axis=1)
