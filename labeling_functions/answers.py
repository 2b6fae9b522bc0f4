"""What labeling functions may return."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Only:
    """That exactly these classes of a multilabel task apply; `only` makes one."""

    classes: tuple[int | str, ...]


def only(*classes: int | str) -> Only:
    """Of a multilabel task: these classes (names or indices) apply, and no other does; `only()`: none."""
    return Only(classes)


Answer = int | str | None | Collection[int | str] | Mapping[int | str, bool] | Only
"""What a function may return: a class index, ABSTAIN (-1), a class name, or None (abstains as well).

In a multilabel task a class says that it applies and nothing of the others. There a function may also return
several classes (a list, tuple or set), all of which apply; a mapping of classes to True or False, which says
of each whether it applies; or `only(...)`."""

Answers = Sequence[Answer] | NDArray[Any]
"""One answer an item, in the items' order."""
