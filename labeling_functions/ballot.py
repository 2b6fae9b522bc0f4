"""Turns what functions return into class indices."""

import difflib
from collections.abc import Collection, Sequence
from contextlib import suppress
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_functions.task import ABSTAIN

_PLAIN = {int, str, NoneType}


class BadVote(ValueError):
    """An answer that names no class; the message says what would."""


class Ballot:
    """Reads answers for a task with these classes."""

    def __init__(self, class_names: Sequence[str]) -> None:
        self._names = tuple(class_names)
        self._codes: dict[object, int] = {None: ABSTAIN, ABSTAIN: ABSTAIN}
        for index, name in enumerate(self._names):
            self._codes |= {index: index, name: index}

    def code(self, answer: object) -> int:
        """Class index or ABSTAIN of one answer. Raises BadVote."""
        if isinstance(answer, np.integer):
            answer = int(answer)
        # True == 1 and 1.0 == 1 would be found in the table, but are comparisons and scores gone astray
        if isinstance(answer, bool) or not isinstance(answer, int | str | None):
            kind = type(answer).__name__
            raise BadVote(f"voted {answer!r} ({kind}), which is no class: return {self._choices()}")
        try:
            return self._codes[answer]
        except KeyError:
            raise BadVote(f"voted {answer!r}, which is no class{self._hint(answer)}") from None

    def read(self, answers: Collection[Any] | NDArray[Any]) -> tuple[NDArray[np.int8], dict[int, str]]:
        """Votes (n,) of n answers, and what is wrong with those that name no class (they abstain)."""
        if isinstance(answers, np.ndarray):
            if answers.dtype.kind in "iu" and answers.ndim == 1 and self._in_range(answers):
                return answers.astype(np.int8), {}
            answers = answers.tolist()
        if _PLAIN.issuperset(map(type, answers)):
            with suppress(KeyError):
                return np.fromiter(map(self._codes.__getitem__, answers), np.int8, len(answers)), {}
        return self._read_each(answers)

    def _read_each(self, answers: Collection[Any]) -> tuple[NDArray[np.int8], dict[int, str]]:
        votes = np.full(len(answers), ABSTAIN, dtype=np.int8)
        bad: dict[int, str] = {}
        for row, answer in enumerate(answers):
            try:
                votes[row] = self.code(answer)
            except BadVote as problem:
                bad[row] = str(problem)
        return votes, bad

    def _in_range(self, answers: NDArray[Any]) -> bool:
        return bool(((answers >= ABSTAIN) & (answers < len(self._names))).all())

    def _choices(self) -> str:
        classes = ", ".join(f"{index} = {name!r}" for index, name in enumerate(self._names[:10]))
        more = ", ..." if len(self._names) > 10 else ""
        return f"a class index or name ({classes}{more}), ABSTAIN or None"

    def _hint(self, answer: int | str | None) -> str:
        close = difflib.get_close_matches(answer, self._names, n=1) if isinstance(answer, str) else []
        return f"; did you mean {close[0]!r}?" if close else f": return {self._choices()}"
