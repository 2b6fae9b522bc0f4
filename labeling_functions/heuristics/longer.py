"""The longer of two responses: people and judges prefer it more often than not (Singhal et al. 2023,
arXiv 2310.03716)."""

from math import log

from labeling_functions.function import Function
from labeling_functions.heuristics.contrast import contrast
from labeling_functions.heuristics.words import words_of


def longer_response(name: str = "longer_response", *, ratio: float = 1.5) -> Function:
    """A labeling function that votes for the response with more words.

    Args:
        name: of the function.
        ratio: how many times as many words, each plus one, make it vote; above 1.

    Raises:
        ValueError: the ratio is not above 1.
    """
    if ratio <= 1:
        raise ValueError(f"labeling function {name!r}: ratio {ratio} is not above 1")
    return contrast(name, _log_length, log(ratio), words_of)


def _log_length(response: str) -> float:
    return log(1 + len(words_of(response)))
