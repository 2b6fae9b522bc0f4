"""Where in an item's fields the patterns of heuristics are found, for people to see why a function voted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labeling_functions.function import Function
from labeling_functions.heuristics.scan import PatternHeuristic
from labeling_functions.items import Item

MOST = 200
"""Spans of one item; the first are taken."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (behind the last, in code points) of a field, found by a function."""

    function: str
    field: str
    start: int
    end: int


def spans(functions: Sequence[Function], item: Item) -> list[Span]:
    """All that the pattern heuristics among these functions find, field by field; other kinds tell no place.

    A pattern that is searched in all text of an item is looked for in each field by itself, so that a match
    across two fields is not among them.
    """
    found = [span for function in functions for span in _found(function, item)]
    return sorted(found, key=lambda span: (span.field, span.start, span.end))[:MOST]


def _found(function: Function, item: Item) -> Iterator[Span]:
    if not isinstance(function, PatternHeuristic):
        return
    for field, text in item.fields.items():
        if isinstance(text, str) and function.field in (None, field):
            for match in function.pattern.finditer(text):
                if match.end() > match.start():
                    yield Span(function.name, field, match.start(), match.end())
