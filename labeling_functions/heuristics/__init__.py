"""Ready-made labeling functions, made by naming what to look for."""

from collections.abc import Callable

from labeling_functions.function import Function, Heuristic
from labeling_functions.heuristics.keyword import keywords
from labeling_functions.heuristics.longer import longer_response
from labeling_functions.heuristics.refusal import no_refusal
from labeling_functions.heuristics.regex import matches
from labeling_functions.heuristics.repetition import less_repetition
from labeling_functions.heuristics.same_words import same_words
from labeling_functions.heuristics.spans import Span, spans

__all__ = [
    "HEURISTICS",
    "PAIR_HEURISTICS",
    "Span",
    "keywords",
    "less_repetition",
    "longer_response",
    "matches",
    "no_refusal",
    "same_words",
    "spans",
]

HEURISTICS: dict[str, Callable[..., Heuristic]] = {
    "keyword": keywords,
    "regex": matches,
}
"""Every kind of ready-made function and what makes one."""

PAIR_HEURISTICS: dict[str, Callable[..., Function]] = {
    "longer": longer_response,
    "repetition": less_repetition,
    "refusal": no_refusal,
    "same_words": same_words,
}
"""The same for pairs: each votes for one of two responses, or for a tie."""
