"""Functions that are near copies of each other, found without any known label.

A model of how votes arise counts each copy as new evidence. One of the copies speaks for all while a model is
fitted; afterwards each takes an equal share of the spokesman's table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask
from models.votes import FUNCTION, Votes, kind

AGREEMENT = 0.97
"""Copies say a class together on this share, at least, of the items on which either of them says it."""

FEWEST_SPOKEN = 10
"""Below this number of items on which either speaks, agreement is chance."""

SAMPLE = 4_000
"""Items that are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Which annotator speaks for which.

    Attributes:
        annotators: all keys.
        spokesman: (m,) index of the one that speaks for each; its own when it has no copy.
    """

    annotators: tuple[str, ...]
    spokesman: I8

    @property
    def speaking(self) -> Mask:
        """(m,) who is left."""
        return np.asarray(self.spokesman == np.arange(len(self.spokesman)))

    def spread(self, tables: Mapping[str, F8]) -> dict[str, F8]:
        """Tables (S, K) of everybody from those of the spokesmen; those of nobody here stay as they are."""
        sizes = np.bincount(self.spokesman, minlength=len(self.spokesman))
        return dict(tables) | {
            key: tables[self.annotators[index]] / sizes[index]
            for key, index in zip(self.annotators, self.spokesman.tolist(), strict=True)
        }


def find_copies(votes: Votes, n_classes: int, seed: int = 0) -> Copies:
    """Group functions that agree, class by class, on 97 % of the items on which either speaks.

    Silence does not count as agreement: functions that seldom speak would all be copies. The first of a
    group speaks for it.
    """
    spokesman = np.arange(len(votes.annotators))
    functions = np.flatnonzero([kind(key) == FUNCTION for key in votes.annotators])
    if len(functions) > 1:
        alike = _alike(_spoken(votes, functions, n_classes, seed))
        for later in range(1, len(functions)):
            same = np.flatnonzero(alike[later, :later])
            if len(same):
                spokesman[functions[later]] = spokesman[functions[same[0]]]
    return Copies(votes.annotators, spokesman)


def _spoken(votes: Votes, functions: I8, n_classes: int, seed: int) -> F8:
    """(K, sample, functions) 1 where a function names the class."""
    random = np.random.Generator(np.random.PCG64(seed))
    if votes.n_items > SAMPLE:
        votes = votes.take(np.sort(random.choice(votes.n_items, SAMPLE, replace=False)))
    place = np.full(len(votes.annotators), -1)
    place[functions] = np.arange(len(functions))
    named = (place[votes.annotator] >= 0) & (votes.symbol < n_classes)
    spoken = np.zeros((n_classes, votes.n_items, len(functions)))
    spoken[votes.symbol[named], votes.row[named], place[votes.annotator[named]]] = 1.0
    return spoken


def _alike(spoken: F8) -> Mask:
    """(f, f) whether two functions are near copies."""
    together = spoken.transpose(0, 2, 1) @ spoken
    alone = spoken.sum(axis=1)
    either = alone[:, :, None] + alone[:, None, :] - together
    often_enough = either.sum(axis=0) >= FEWEST_SPOKEN
    return np.asarray((together >= AGREEMENT * either).all(axis=0) & often_enough)


def only(votes: Votes, chosen: Mask | Sequence[bool]) -> Votes:
    """The votes of chosen annotators (m,), who keep their order."""
    kept = np.asarray(chosen, np.bool_)
    place = np.cumsum(kept) - 1
    own = kept[votes.annotator]
    return Votes(
        n_items=votes.n_items,
        annotators=tuple(key for key, keep in zip(votes.annotators, kept, strict=True) if keep),
        n_symbols=tuple(size for size, keep in zip(votes.n_symbols, kept, strict=True) if keep),
        row=votes.row[own],
        annotator=place[votes.annotator[own]],
        symbol=votes.symbol[own],
    )
