"""Ready-made labeling functions, made by naming what to look for."""

from collections.abc import Callable

from labeling_functions.function import Heuristic
from labeling_functions.heuristics.keyword import keywords
from labeling_functions.heuristics.regex import matches

__all__ = ["HEURISTICS", "keywords", "matches"]

HEURISTICS: dict[str, Callable[..., Heuristic]] = {
    "keyword": keywords,
    "regex": matches,
}
"""Every kind of ready-made function and what makes one."""
