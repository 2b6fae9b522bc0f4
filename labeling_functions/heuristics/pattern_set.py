"""Many patterns searched in one go over each text, by RE2."""

import re
from collections.abc import Sequence
from itertools import chain

import numpy as np
import re2
from numpy.typing import NDArray

from labeling_functions.heuristics.translation import translated

_MOST_BYTES = 64 << 20
"""That one set may take, states found on the way included."""


class PatternSet:
    """Finds which of some patterns are in a text, exactly as `re.search` would.

    What RE2 can say is searched for all patterns at once, in time that grows with the text alone. Where it
    can say only something wider, the texts that it finds are looked at again by `re`; what it refuses is
    searched by `re` in all texts.
    """

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        self._patterns = tuple(patterns)
        translations = [translated(pattern) for pattern in patterns]
        self._set, self._places = _compiled([one.pattern for one in translations])
        self._columns = np.array(self._places, np.intp)
        self._again = [j for j in self._places if not translations[j].exact]
        self._apart = sorted(set(range(len(patterns))) - set(self._places))

    @property
    def by_re(self) -> tuple[int, ...]:
        """Places of the patterns that `re` searches in all texts."""
        return tuple(self._apart)

    @property
    def twice(self) -> tuple[int, ...]:
        """Places of the patterns that `re` searches again where RE2 found what stands for them."""
        return tuple(self._again)

    def hits(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(n, m): the j-th pattern is in the i-th text."""
        hits = np.zeros((len(texts), len(self._patterns)), np.bool_)
        self._search(texts, hits)
        for j in self._again:
            _search_again(self._patterns[j], texts, hits[:, j])
        for j in self._apart:
            hits[:, j] = _searched(self._patterns[j], texts)
        return hits

    def _search(self, texts: Sequence[str], hits: NDArray[np.bool_]) -> None:
        try:
            found = [one or () for one in map(self._set.Match, texts)]
        except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold
            found = [self._found(text) for text in texts]
        rows = np.repeat(np.arange(len(texts)), [len(one) for one in found])
        which = np.fromiter(chain.from_iterable(found), np.intp, len(rows))
        always = which == len(self._places)  # the pattern that is in every text
        hits[rows[~always], self._columns[which[~always]]] = True
        looked = np.zeros(len(texts), np.bool_)
        looked[rows[always]] = True
        self._by_re(np.flatnonzero(~looked).tolist(), texts, hits)

    def _by_re(self, rows: list[int], texts: Sequence[str], hits: NDArray[np.bool_]) -> None:
        for j in self._places if rows else ():
            hits[rows, j] = _searched(self._patterns[j], [texts[row] for row in rows])

    def _found(self, text: str) -> Sequence[int]:
        """What the set finds; where it cannot look nothing, not even what is in every text."""
        try:
            return self._set.Match(text) or ()
        except UnicodeEncodeError:
            return ()


def _compiled(patterns: Sequence[str]) -> tuple["re2.Set", list[int]]:
    """A set, with a last pattern that is in every text, and the places of the patterns that it took."""
    options = re2.Options()
    options.max_mem = _MOST_BYTES
    options.log_errors = False
    options.never_capture = True
    found = re2.Set.SearchSet(options)
    places = [j for j, pattern in enumerate(patterns) if _taken(found, pattern)]
    found.Add("")
    try:
        found.Compile()
    except re2.error:  # too large together
        return _compiled(())
    return found, places


def _taken(into: "re2.Set", pattern: str) -> bool:
    try:
        into.Add(pattern)
    except re2.error:
        return False
    return True


def _searched(pattern: re.Pattern[str], texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([pattern.search(text) is not None for text in texts], np.bool_)


def _search_again(pattern: re.Pattern[str], texts: Sequence[str], column: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(column).tolist()
    column[rows] = _searched(pattern, [texts[row] for row in rows])
