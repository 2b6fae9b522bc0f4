"""Which answered items a prompt shows; never the item itself, nor another of its subject."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, zip_longest

import numpy as np
from numpy.typing import NDArray

from labeling_functions.items import Item

Vectors = NDArray[np.floating]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An item that a person answered.

    Attributes:
        item: what was answered.
        label: as `labeling_functions.label_space` has labels.
        reason: why, if the person said so.

    Raises:
        ValueError: the label is an abstention.
    """

    item: Item
    label: int
    reason: str = ""

    def __post_init__(self) -> None:
        if self.label < 0:
            raise ValueError(
                f"exemplar {self.item.id}: label {self.label} is no class; abstentions show nothing"
            )


@dataclass(frozen=True, eq=False)
class AnsweredItems:
    """Everything to choose from, oldest answer first.

    Attributes:
        exemplars: n of them.
        vectors: (n, d) embeddings of length 1, in the same order; the choice `fixed` does not read them.
    """

    exemplars: tuple[Exemplar, ...]
    vectors: Vectors

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.exemplars):
            raise ValueError(f"exemplars: {len(self.exemplars)} do not fit vectors {self.vectors.shape}")

    @cached_property
    def labels(self) -> Rows:
        """(n,) labels."""
        return np.array([one.label for one in self.exemplars], np.int64)

    @cached_property
    def _rows_of_key(self) -> dict[tuple[str, str], list[int]]:
        rows: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row, one in enumerate(self.exemplars):
            for key in what_it_shows(one.item):
                rows[key].append(row)
        return dict(rows)

    def rows_for(self, item: Item) -> Rows:
        """Rows that may be shown with an item: all but those that show the same."""
        allowed = np.ones(len(self.exemplars), np.bool_)
        for key in what_it_shows(item):
            allowed[self._rows_of_key.get(key, [])] = False
        return np.flatnonzero(allowed)


def what_it_shows(item: Item) -> set[tuple[str, str]]:
    """Keys by id, subject, and text but for case and blanks; two items with one in common show the same."""
    keys = {
        ("id", item.id),
        ("subject", item.subject or ""),
        ("text", " ".join(item.plain_text.lower().split())),
    }
    return {key for key in keys if key[1]}


def choose(
    answered: AnsweredItems, item: Item, vector: Vectors, count: int, how: str
) -> tuple[Exemplar, ...]:
    """Exemplars for one item, in the order in which its prompt shows them; always the same for the same.

    Args:
        answered: what to choose from.
        item: what will be asked about.
        vector: (d,) its embedding, of length 1.
        count: how many at most.
        how: one of SELECTIONS.
    """
    chosen = SELECTIONS[how](answered, item, vector, count)
    return tuple(answered.exemplars[row] for row in chosen)


def for_together(
    items: Sequence[Item], each: Sequence[Sequence[Exemplar]], count: int
) -> tuple[Exemplar, ...]:
    """Exemplars of a prompt about several items: those of each in turn, none showing the same as any item."""
    keys = set().union(*map(what_it_shows, items))
    turns = (one for one in chain.from_iterable(zip_longest(*each)) if one is not None)
    fitting = {one.item.id: one for one in turns if not keys & what_it_shows(one.item)}
    return tuple(islice(fitting.values(), count))


def _fixed(answered: AnsweredItems, item: Item, _vector: Vectors, count: int) -> Rows:
    """The oldest answers, labels in turn."""
    rows = answered.rows_for(item)
    return rows[_in_turn(answered.labels[rows])][:count]


def _similar(answered: AnsweredItems, item: Item, vector: Vectors, count: int) -> Rows:
    """The nearest, the very nearest last (Liu et al. 2022, arXiv 2101.06804)."""
    return _nearest_first(answered, item, vector)[:count][::-1]


def _diverse(answered: AnsweredItems, item: Item, vector: Vectors, count: int) -> Rows:
    """The nearest of each label in turn, shuffled, so that no place in the prompt stands for a label."""
    rows = _nearest_first(answered, item, vector)
    chosen = rows[_in_turn(answered.labels[rows])][:count]
    seed = hashlib.blake2b(item.id.encode(errors="replace"), digest_size=8).digest()
    shuffler = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    return shuffler.permutation(chosen)


SELECTIONS: dict[str, Callable[[AnsweredItems, Item, Vectors, int], Rows]] = {
    "fixed": _fixed,
    "similar": _similar,
    "diverse": _diverse,
}
"""Ways to choose: answered items, an item, its vector and a count -> rows of the answered items, in order."""


def _nearest_first(answered: AnsweredItems, item: Item, vector: Vectors) -> Rows:
    rows = answered.rows_for(item)
    near = answered.vectors[rows] @ vector
    return rows[np.argsort(-near, kind="stable")]


def _in_turn(labels: Iterable[int]) -> Rows:
    """Order that takes the first of each label, then the second of each, and so on."""
    seen: dict[int, int] = defaultdict(int)
    turns = []
    for label in labels:
        turns.append(seen[label])
        seen[label] += 1
    return np.argsort(np.array(turns, np.int64), kind="stable")
