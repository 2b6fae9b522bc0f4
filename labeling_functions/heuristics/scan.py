"""Searches texts for patterns; the family of all heuristics that are a pattern in the end."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling_functions.answers import Answer
from labeling_functions.function import Heuristic
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
        find=find,
        pattern=pattern,
        field=field,
    )


def find(functions: Sequence[PatternHeuristic], items: Sequence[Item]) -> Iterator[NDArray[np.bool_]]:
    """For each function (n,) bool: its pattern is in the item's text. Texts are read once a field."""
    texts: dict[str | None, list[str]] = {}
    for function in functions:
        if function.field not in texts:
            texts[function.field] = texts_of(items, function.field)
        search = function.pattern.search
        yield np.array([search(text) is not None for text in texts[function.field]], dtype=np.bool_)


def texts_of(items: Sequence[Item], field: str | None) -> list[str]:
    """The texts to search. Raises AttributeError for an absent field, TypeError for one that is no text."""
    if field is None:
        return [item.plain_text for item in items]
    texts = [getattr(item, field) for item in items]
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"field {field!r} holds {text!r:.60} ({type(text).__name__}), not text")
    return texts
