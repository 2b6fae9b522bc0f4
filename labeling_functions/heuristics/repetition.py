"""The response that says the same over and over loses (repeated n-grams, as Welleck et al. 2020,
arXiv 1908.04319, count them)."""

from functools import partial

from labeling_functions.function import Function
from labeling_functions.heuristics.contrast import contrast
from labeling_functions.heuristics.words import words_of


def less_repetition(name: str = "less_repetition", *, least: float = 0.2, words: int = 3) -> Function:
    """A labeling function that votes for the response of which fewer runs of words are repeated.

    Args:
        name: of the function.
        least: how far the two shares of repeated runs must be apart, above 0 and at most 1.
        words: in a run, at least 1.

    Raises:
        ValueError: an argument is out of range.
    """
    if not 0 < least <= 1 or words < 1:
        raise ValueError(
            f"labeling function {name!r}: least must be above 0 and at most 1, words at least 1; "
            f"given are {least} and {words}"
        )
    return contrast(name, partial(_distinct, words=words), least, words_of)


def _distinct(response: str, words: int) -> float:
    """Share of distinct ones among all runs of so many words, 0 to 1; 1 without any."""
    said = words_of(response)
    runs = [tuple(said[start : start + words]) for start in range(len(said) - words + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0
