"""Labeling functions: how users write them, and what the applier is given."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import BuiltinFunctionType, FunctionType, SimpleNamespace
from typing import Any, Literal, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from labeling_functions.answers import Answer, Answers
from labeling_functions.fingerprint import fingerprint
from labeling_functions.items import Item

Preprocessor = Callable[[Any], Any]
"""Takes a point (a copy of the item whose attributes may be set) and returns a point."""


Search = Callable[[Sequence[Item]], Iterator[NDArray[np.bool_]]]
"""Given n items, yields for each heuristic of a family, in order, an array (n,), True where it is found."""


class Embedder(Protocol):
    """Turns texts into vectors; functions that compare meanings are given one."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, d) vectors of n texts, in order."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Function:
    """A named labeling function. Calling it with one item gives that item's answer.

    Attributes:
        name: unique among the functions of a configuration.
        ask: the function itself; takes one item, or a whole batch, and gives one answer or a batch of them.
        takes: what `ask` takes.
        version_parts: what the version is a hash of.
        pre: preprocessors that `ask` runs.
    """

    name: str
    ask: Callable[[Any], Any]
    takes: Literal["item", "items"] = "item"
    version_parts: tuple[object, ...]
    pre: tuple[Preprocessor, ...] = ()

    @cached_property
    def version(self) -> str:
        """Hash of the source and of what it depends on; computed once, so read it soon after loading."""
        return fingerprint(*self.version_parts)

    def __call__(self, item: Item) -> Answer:
        answer: Answer = self.ask(item) if self.takes == "item" else self.ask([item])[0]
        return answer

    def forget(self) -> None:
        """Empty the caches of snorkel's preprocessors, which keep every point that they ever saw."""
        for one in self.pre:
            for preprocessor in (one, *getattr(one, "_pre", ())):
                if callable(reset := getattr(preprocessor, "reset_cache", None)):
                    reset()


@dataclass(frozen=True, eq=False, kw_only=True)
class Heuristic(Function):
    """A ready-made function that votes for one class where something is found.

    Attributes:
        label: the class (index or name) that it votes for.
        family: the same for all heuristics of one kind. It is given those of one configuration together, and
            returns what searches a batch for all of them at once.
    """

    label: int | str
    family: "Callable[[Sequence[Any]], Search]"


@overload
def labeling_function(body: Callable[..., Answer], /) -> Function: ...


@overload
def labeling_function(
    *, name: str | None = None, resources: Mapping[str, Any] | None = None, pre: Sequence[Preprocessor] = ()
) -> Callable[[Callable[..., Answer]], Function]: ...


def labeling_function(
    body: Callable[..., Answer] | None = None,
    /,
    *,
    name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    pre: Sequence[Preprocessor] = (),
) -> Function | Callable[[Callable[..., Answer]], Function]:
    """Make a labeling function of one that takes an item and returns an Answer.

    Args:
        name: the function's own name unless given.
        resources: keyword arguments for every call.
        pre: run on the item one after the other before the function sees it; snorkel's fit as well.
    """
    if body is None:
        return partial(_item_function, name=name, resources=resources or {}, pre=tuple(pre))
    return _item_function(body, name=None, resources={}, pre=())


def _item_function(
    body: Callable[..., Answer], name: str | None, resources: Mapping[str, Any], pre: tuple[Preprocessor, ...]
) -> Function:
    ask = partial(body, **resources) if resources else body
    if pre:
        ask = partial(_prepared, ask, pre)
    parts = (body, dict(resources), tuple(_preprocessor_parts(one) for one in pre))
    return Function(name=name or body.__name__, ask=ask, version_parts=parts, pre=pre)


@overload
def batch_labeling_function(body: Callable[..., Answers], /) -> Function: ...


@overload
def batch_labeling_function(
    *, name: str | None = None, resources: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., Answers]], Function]: ...


def batch_labeling_function(
    body: Callable[..., Answers] | None = None,
    /,
    *,
    name: str | None = None,
    resources: Mapping[str, Any] | None = None,
) -> Function | Callable[[Callable[..., Answers]], Function]:
    """Make a labeling function of one that takes a list of items and returns one Answer for each.

    It may be called again with single items of a batch on which it failed.

    Args:
        name: the function's own name unless given.
        resources: keyword arguments for every call.
    """
    if body is None:
        return partial(_batch_function, name=name, resources=resources or {})
    return _batch_function(body, name=None, resources={})


def _batch_function(body: Callable[..., Answers], name: str | None, resources: Mapping[str, Any]) -> Function:
    ask = partial(body, **resources) if resources else body
    return Function(name=name or body.__name__, ask=ask, takes="items", version_parts=(body, dict(resources)))


def as_function(value: object) -> Function | None:
    """A Function as it is, snorkel's LabelingFunction wrapped, None for anything else.

    snorkel is not imported: what made the value must have done so.
    """
    if isinstance(value, Function):
        return value
    snorkel = sys.modules.get("snorkel.labeling")
    if snorkel is None or not isinstance(value, snorkel.LabelingFunction):
        return None
    pre = tuple(value._pre)
    parts = (value._f, dict(value._resources), tuple(_preprocessor_parts(one) for one in pre))
    ask = partial(_prepared, value, ()) if pre else value  # snorkel's preprocessors set attributes
    return Function(name=value.name, ask=ask, version_parts=parts, pre=pre)


def _prepared(ask: Callable[[Any], Answer], pre: tuple[Preprocessor, ...], item: Item) -> Answer:
    point: Any = Point(**vars(item))
    for prepare in pre:
        point = prepare(point)
        if point is None:
            raise ValueError(f"preprocessor {prepare!r} returned None; it must return a point")
    return ask(point)


class Point(SimpleNamespace):
    """A copy of an item that preprocessors may add to; snorkel's memoize on all of its attributes."""

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]


def _preprocessor_parts(preprocessor: Preprocessor) -> tuple[object, ...]:
    """Functions count with their source, objects with their settings (snorkel's hold their function)."""
    if isinstance(preprocessor, FunctionType | BuiltinFunctionType | partial):
        return (preprocessor,)
    passing = ("_cache", "_memoize_key", "_pre")
    settings = {key: value for key, value in vars(preprocessor).items() if key not in passing}
    inner = tuple(_preprocessor_parts(one) for one in getattr(preprocessor, "_pre", ()))
    return (type(preprocessor).__qualname__, getattr(type(preprocessor), "run", None), settings, inner)
