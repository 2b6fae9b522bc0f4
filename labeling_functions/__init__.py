"""Votes on items: labeling functions, how they are written, applied and judged."""

from labeling_functions.answers import only
from labeling_functions.function import batch_labeling_function, labeling_function
from labeling_functions.heuristics import (
    keywords,
    less_repetition,
    longer_response,
    matches,
    no_refusal,
    same_words,
)
from labeling_functions.items import Item
from labeling_functions.task import ABSTAIN

__all__ = [
    "ABSTAIN",
    "Item",
    "batch_labeling_function",
    "keywords",
    "labeling_function",
    "less_repetition",
    "longer_response",
    "matches",
    "no_refusal",
    "only",
    "same_words",
]
