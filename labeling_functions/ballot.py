"""Turns what functions return into votes on facets."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_functions.answers import Only
from labeling_functions.label_space import I1, LabelSpace
from labeling_functions.task import ABSTAIN

_PLAIN = {int, str, NoneType}


class BadVote(ValueError):
    """An answer that names no class; the message says what would."""


class Ballot:
    """Reads answers for a task with one class an item."""

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

    def votes(self, answer: object) -> I1:
        """(1,) what one answer says. Raises BadVote."""
        return np.array([self.code(answer)], np.int8)

    def read(self, answers: Collection[Any] | NDArray[Any]) -> tuple[I1, dict[int, str]]:
        """Votes (n, 1) of n answers, and what is wrong with those that name no class (they abstain)."""
        if (codes := self.codes(answers)) is not None:
            return codes[:, None], {}
        return _read_each(_listed(answers), self.votes, 1)

    def codes(self, answers: Collection[Any] | NDArray[Any]) -> I1 | None:
        """(n,) votes where every answer is plainly a class or none; else None."""
        if isinstance(answers, np.ndarray):
            if answers.dtype.kind in "iu" and answers.ndim == 1 and self._in_range(answers):
                return answers.astype(np.int8)
            answers = answers.tolist()
        if _PLAIN.issuperset(map(type, answers)):
            with suppress(KeyError):
                return np.fromiter(map(self._codes.__getitem__, answers), np.int8, len(answers))
        return None

    def _in_range(self, answers: NDArray[Any]) -> bool:
        return bool(((answers >= ABSTAIN) & (answers < len(self._names))).all())

    def _choices(self) -> str:
        classes = ", ".join(f"{index} = {name!r}" for index, name in enumerate(self._names[:10]))
        more = ", ..." if len(self._names) > 10 else ""
        return f"a class index or name ({classes}{more}), ABSTAIN or None"

    def _hint(self, answer: int | str | None) -> str:
        close = difflib.get_close_matches(answer, self._names, n=1) if isinstance(answer, str) else []
        return f"; did you mean {close[0]!r}?" if close else f": return {self._choices()}"


class SetBallot:
    """Reads answers for a multilabel task: of each class 1 (it applies), 0 (it does not) or ABSTAIN."""

    def __init__(self, class_names: Sequence[str]) -> None:
        self._single = Ballot(class_names)
        self._n_classes = len(class_names)
        # The last row is where ABSTAIN, -1, points to.
        self._applies: I1 = np.full((self._n_classes + 1, self._n_classes), ABSTAIN, dtype=np.int8)
        np.fill_diagonal(self._applies, 1)

    def votes(self, answer: object) -> I1:
        """(F,) what one answer says of each class. Raises BadVote."""
        votes = np.full(self._n_classes, ABSTAIN, dtype=np.int8)
        match answer:
            case Only():
                votes[:] = 0
                votes[self._places(answer.classes)] = 1
            case Mapping():
                for one, said in answer.items():
                    self._note(votes, one, said)
            case list() | tuple() | set() | frozenset():
                votes[self._places(answer)] = 1
            case np.ndarray():
                raise BadVote(f"voted {answer!r:.60}, an array: return a list of classes")
            case _:
                votes[:] = self._applies[self._single.code(answer)]
        return votes

    def read(self, answers: Collection[Any] | NDArray[Any]) -> tuple[I1, dict[int, str]]:
        """Votes (n, F) of n answers, and what is wrong with those that name no class (they abstain)."""
        if isinstance(answers, np.ndarray) and answers.ndim != 1:
            answers = list(answers)
        if (codes := self._single.codes(answers)) is not None:
            return self._applies[codes], {}
        return _read_each(_listed(answers), self.votes, self._n_classes)

    def _places(self, classes: Iterable[object]) -> list[int]:
        return [self._place(one) for one in classes]

    def _place(self, one: object) -> int:
        place = self._single.code(one)
        if place == ABSTAIN:
            raise BadVote(f"named {one!r} among classes, which is none: return None alone to abstain")
        return place

    def _note(self, votes: I1, one: object, said: object) -> None:
        if not isinstance(said, bool | np.bool_):
            raise BadVote(f"said {said!r} of class {one!r}: give True (it applies) or False")
        place = self._place(one)
        if votes[place] == (not said):
            raise BadVote(f"said both True and False of class {one!r}")
        votes[place] = said


def ballot_of(space: LabelSpace) -> Ballot | SetBallot:
    """What reads the answers for these labels."""
    return SetBallot(space.classes) if space.sets else Ballot(space.classes)


def _read_each(
    answers: Collection[Any], votes_of: Callable[[object], I1], n_facets: int
) -> tuple[I1, dict[int, str]]:
    """(n, F) votes of n answers, one by one, and by row what is wrong with those that name no class."""
    votes = np.full((len(answers), n_facets), ABSTAIN, dtype=np.int8)
    bad: dict[int, str] = {}
    for row, answer in enumerate(answers):
        try:
            votes[row] = votes_of(answer)
        except BadVote as problem:
            bad[row] = str(problem)
    return votes, bad


def _listed(answers: Collection[Any] | NDArray[Any]) -> Collection[Any]:
    return answers.tolist() if isinstance(answers, np.ndarray) else answers
