"""Runs labeling functions over batches; whatever they do, a label matrix comes out."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_functions.ballot import BadVote, ballot_of
from labeling_functions.function import Function, Heuristic, Search
from labeling_functions.items import Item
from labeling_functions.label_space import I1, LabelSpace
from labeling_functions.loading import LoadError
from labeling_functions.task import ABSTAIN

_Said = tuple[I1, int, str | None]
"""Votes (n, F), failures, message of the first failure."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the functions said about n items.

    Attributes:
        L: (n, m * F) options or ABSTAIN; column j * F + f is what the j-th function says of facet f: a class
            index, or of a multilabel task 1 where class f applies and 0 where it does not.
        failures: function -> items on which it raised or voted for no class; only functions that failed.
        slow: function -> seconds on this batch; only those slower than allowed.
        messages: function -> what was wrong with its first failure.
    """

    L: I1
    failures: dict[str, int]
    slow: dict[str, float]
    messages: dict[str, str]


class Applier:
    """Asks every function about every item.

    A function that raises, or votes for a class that does not exist, abstains on that item; other items
    and other functions are not touched. A slow function is reported, not stopped: Python cannot.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        space: LabelSpace,
        slow_seconds: float,
    ) -> None:
        """Raises LoadError for a heuristic whose class does not exist, ValueError for a doubled name."""
        names = [function.name for function in functions]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two labeling functions are named {twice[0]!r}")
        self._functions = tuple(functions)
        self._slow_seconds = slow_seconds
        self._ballot = ballot_of(space)
        self._n_facets = space.n_facets
        families = _families(functions)
        self._searches = {family: family(members) for family, members in families.items()}
        self._labels = {one.name: self._label(one) for members in families.values() for one in members}

    def apply(self, items: Sequence[Item]) -> Applied:
        """Votes of all functions on these items."""
        wide = self._n_facets
        nothing = np.full((len(items), len(self._functions) * wide), ABSTAIN, dtype=np.int8)
        applied = Applied(nothing, {}, {}, {})
        if not items:
            return applied
        found = {family: search(items) for family, search in self._searches.items()}
        for place, function in enumerate(self._functions):
            started = perf_counter()
            votes, failures, message = self._ask(function, items, found)
            seconds = perf_counter() - started
            applied.L[:, place * wide : (place + 1) * wide] = votes
            if failures and message:
                applied.failures[function.name] = failures
                applied.messages[function.name] = message
            if seconds > self._slow_seconds:
                applied.slow[function.name] = seconds
        for function in self._functions:
            function.forget()
        return applied

    def _ask(self, function: Function, items: Sequence[Item], found: "_Found") -> _Said:
        if isinstance(function, Heuristic):
            return self._ask_heuristic(function, items, found)
        if function.takes == "item":
            return self._ask_each(function, function.ask, items)
        return self._ask_batch(function, items)

    def _ask_heuristic(self, function: Heuristic, items: Sequence[Item], found: "_Found") -> _Said:
        try:
            hits = next(found[function.family])
        except Exception:  # noqa: BLE001 (one item without the field must not silence the whole family)
            return self._ask_batch(function, items)
        return np.where(hits[:, None], self._labels[function.name], np.int8(ABSTAIN)), 0, None

    def _ask_batch(self, function: Function, items: Sequence[Item]) -> _Said:
        try:
            answers = function.ask(items)
            _check_length(answers, len(items))
            votes, bad = self._ballot.read(answers)
        except Exception:  # noqa: BLE001 (asked item by item, the guilty ones are found and counted)
            return self._ask_each(function, lambda item: _only(function.ask([item])), items)
        return votes, len(bad), _first(bad, items)

    def _ask_each(self, function: Function, ask: Callable[[Item], Any], items: Sequence[Item]) -> _Said:
        answers: list[Any] = []
        raised, message = 0, None
        for item in items:
            try:
                answers.append(ask(item))
            except Exception as error:  # noqa: BLE001 (users' code may raise anything; it is counted)
                answers.append(None)
                raised += 1
                message = message or _describe(error, function, item)
        votes, bad = self._ballot.read(answers)
        return votes, raised + len(bad), message or _first(bad, items)

    def _label(self, heuristic: Heuristic) -> I1:
        try:
            return self._ballot.votes(heuristic.label)
        except BadVote as problem:
            raise LoadError(f"labeling function {heuristic.name!r} {problem}") from None


_Family = Callable[[Sequence[Any]], Search]
_Found = dict[_Family, Iterator[NDArray[np.bool_]]]


def _families(functions: Sequence[Function]) -> dict[_Family, list[Heuristic]]:
    families: dict[_Family, list[Heuristic]] = {}
    for function in functions:
        if isinstance(function, Heuristic):
            families.setdefault(function.family, []).append(function)
    return families


def _check_length(answers: Any, wanted: int) -> None:
    if isinstance(answers, str | Mapping | Set) or len(answers) != wanted:
        raise ValueError(f"returned {answers!r:.60} for {wanted} items; one answer an item is wanted")


def _only(answers: Any) -> Any:
    _check_length(answers, 1)
    return answers[0]


def _first(bad: dict[int, str], items: Sequence[Item]) -> str | None:
    for row, problem in bad.items():
        return f"{problem} (item {items[row].id!r})"
    return None


def _describe(error: Exception, function: Function, item: Item) -> str:
    """Error, place in the user's code, item."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(function.version_parts[0], "__code__", None)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    place = (own or frames)[-1]
    return f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno}; item {item.id!r})"
