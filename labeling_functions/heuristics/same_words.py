"""Two responses of the same words are a tie."""

from collections.abc import Sequence

from labeling_functions.answers import Answer
from labeling_functions.function import Function
from labeling_functions.heuristics.words import words_of
from labeling_functions.items import Item
from labeling_functions.pairs import TIE, pair_of


def same_words(name: str = "same_words") -> Function:
    """A labeling function that votes tie where the responses differ in case, marks and space at most."""
    return Function(name=name, ask=_ask, takes="items", version_parts=(_ask, words_of))


def _ask(items: Sequence[Item]) -> list[Answer]:
    pairs = [pair_of(item) for item in items]
    return [TIE if words_of(pair.a) == words_of(pair.b) else None for pair in pairs]
