"""A response that refuses loses against one that does not."""

import re
from collections.abc import Sequence
from functools import partial

from labeling_functions.function import Function
from labeling_functions.heuristics.contrast import contrast

REFUSALS = (
    r"i(?:['’]m| am) (?:sorry|unable|not able)",
    r"i (?:cannot|can['’]t|can not|won['’]t|will not)",
    r"as an ai\b",
    r"i apologi[sz]e",
)
"""Patterns of what refusals in English begin with."""


def no_refusal(name: str = "no_refusal", *, patterns: Sequence[str] = REFUSALS) -> Function:
    """A labeling function that votes for the response that does not refuse, where the other one does.

    Args:
        name: of the function.
        patterns: in the syntax of Python's `re`, in any case, of what a refusal says.

    Raises:
        ValueError: there are no patterns, or one is not valid.
    """
    if isinstance(patterns, str) or not patterns:
        raise ValueError(f"labeling function {name!r}: patterns must be a list of patterns")
    try:
        found = re.compile(rf"\b(?:{'|'.join(patterns)})", re.IGNORECASE)
    except re.error as problem:
        raise ValueError(f"labeling function {name!r}: patterns: {problem}") from None
    return contrast(name, partial(_answers, refusal=found), 1.0)


def _answers(response: str, refusal: re.Pattern[str]) -> float:
    return 0.0 if refusal.search(response) else 1.0
