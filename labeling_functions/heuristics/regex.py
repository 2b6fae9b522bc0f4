"""A class whose texts match a regular expression."""

import re

from labeling_functions.heuristics.scan import PatternHeuristic, pattern_heuristic


def matches(
    name: str, pattern: str | re.Pattern[str], label: int | str, *, flags: int = 0, field: str | None = None
) -> PatternHeuristic:
    """A labeling function that votes `label` where the pattern is found anywhere in the text.

    Args:
        name: of the function.
        pattern: in the syntax of Python's `re`.
        label: class index or name.
        flags: of `re`, for a pattern that is not compiled yet.
        field: where to look; all text of the item unless given.

    Raises:
        ValueError: the pattern is not valid, or flags are given with a compiled one.
    """
    try:
        compiled = re.compile(pattern, flags)
    except re.error as problem:
        raise ValueError(f"labeling function {name!r}: pattern {pattern!r}: {problem}") from None
    return pattern_heuristic(name, compiled, label, field)
