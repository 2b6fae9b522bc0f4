"""Searches texts for patterns; the family of all heuristics that are a pattern in the end."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling_functions.answers import Answer
from labeling_functions.function import Function, Heuristic
from labeling_functions.heuristics.pattern_set import PatternSet
from labeling_functions.items import Item


@dataclass(frozen=True, eq=False, kw_only=True)
class PatternHeuristic(Heuristic):
    """Votes where the pattern is found.

    Attributes:
        pattern: searched anywhere in the text.
        field: name of the item's field, or None for all its text.
    """

    pattern: re.Pattern[str]
    field: str | None


def pattern_heuristic(
    name: str, pattern: re.Pattern[str], label: int | str, field: str | None
) -> PatternHeuristic:
    """A function that votes `label` where `pattern` is found."""

    def ask(items: Sequence[Item]) -> list[Answer]:
        return [label if pattern.search(text) else None for text in texts_of(items, field)]

    return PatternHeuristic(
        name=name,
        ask=ask,
        takes="items",
        version_parts=(pattern, label, field),
        label=label,
        family=PatternScan,
        pattern=pattern,
        field=field,
    )


class PatternScan:
    """Searches batches for the patterns of one configuration; texts are read and searched once a field."""

    def __init__(self, functions: Sequence[PatternHeuristic]) -> None:
        self._fields = tuple(function.field for function in functions)
        patterns: dict[str | None, list[re.Pattern[str]]] = {}
        self._columns: list[int] = []
        for function in functions:
            of_field = patterns.setdefault(function.field, [])
            self._columns.append(len(of_field))
            of_field.append(function.pattern)
        self._sets = {field: PatternSet(some) for field, some in patterns.items()}

    def __call__(self, items: Sequence[Item]) -> Iterator[NDArray[np.bool_]]:
        """For each function (n,) bool: its pattern is in the item's text."""
        hits: dict[str | None, NDArray[np.bool_]] = {}
        for field, column in zip(self._fields, self._columns, strict=True):
            if field not in hits:
                hits[field] = self._sets[field].hits(texts_of(items, field))
            yield hits[field][:, column]


def slow_patterns(functions: Sequence[Function]) -> list[str]:
    """Names of the functions whose pattern RE2 cannot say exactly, so that `re` searches it as well."""
    patterns = [function for function in functions if isinstance(function, PatternHeuristic)]
    found = PatternSet([function.pattern for function in patterns])
    return [patterns[j].name for j in sorted((*found.twice, *found.by_re))]


def texts_of(items: Sequence[Item], field: str | None) -> list[str]:
    """The texts to search. Raises AttributeError for an absent field, TypeError for one that is no text."""
    if field is None:
        return [item.plain_text for item in items]
    texts = [getattr(item, field) for item in items]
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"field {field!r} holds {text!r:.60} ({type(text).__name__}), not text")
    return texts
