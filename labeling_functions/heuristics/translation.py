"""Patterns of Python's `re` in the syntax of RE2, with the same meaning or a wider one.

Only whether a text has a match is asked, not where. So an assertion at an end of a pattern may take the
character that it looks at: `\\bfree` is found wherever `(?:\\A|[^\\w])free` is.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from labeling_functions.heuristics.characters import Ranges, apart, complement, either_case, ranges_of, within

_MOST_REPEATS = 1000
"""RE2 refuses more."""
_CHARACTERS = (code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN)
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)
_CLASSES = {
    code.CATEGORY_DIGIT: r"\d",
    code.CATEGORY_NOT_DIGIT: r"\D",
    code.CATEGORY_SPACE: r"\s",
    code.CATEGORY_NOT_SPACE: r"\S",
    code.CATEGORY_WORD: r"\w",
    code.CATEGORY_NOT_WORD: r"\W",
}
_ANYTHING = "(?s:.*)"
_KEPT = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII

_Node = tuple[Any, Any]
"""An operation and its arguments, as `re` parses them."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A pattern for RE2.

    Attributes:
        pattern: found in every text that the original is found in, unless RE2 refuses it.
        exact: it is found in no other text.
    """

    pattern: str
    exact: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part stands: nothing is before it, nothing is behind it; and the flags there."""

    first: bool
    last: bool
    flags: int

    def inside(self, place: int, count: int) -> "_Place":
        """The place of one part of several in a row."""
        return _Place(self.first and place == 0, self.last and place == count - 1, self.flags)


def translated(pattern: re.Pattern[str]) -> Translation:
    """A pattern for RE2 that is found wherever this one is.

    Back-references, look-arounds other than at one character at an end of the pattern, word boundaries inside
    of it, possessive and very large repetitions cannot be said in RE2; what stands for them finds more.
    """
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    return _sequence(list(tree), _Place(True, True, tree.state.flags & _KEPT))


def _sequence(nodes: Sequence[_Node], place: _Place) -> Translation:
    parts = []
    for number, node in enumerate(nodes):
        here = place.inside(number, len(nodes))
        if node[0] is code.AT and node[1] in (code.AT_BOUNDARY, code.AT_NON_BOUNDARY):
            parts.append(_boundary(nodes, number, here))
        else:
            parts.append(_node(node, here))
    return Translation("".join(part.pattern for part in parts), all(part.exact for part in parts))


def _node(node: _Node, place: _Place) -> Translation:
    operation, arguments = node
    if operation in _CHARACTERS:
        return Translation(_one_of(_characters(node, place.flags)), exact=True)
    if operation is code.AT:
        return _AT[arguments](place)
    if operation is code.BRANCH:
        return _either(arguments[1], place)
    if operation is code.SUBPATTERN:
        inner = _sequence(list(arguments[3]), _regrouped(arguments, place))
        return Translation(f"(?:{inner.pattern})", inner.exact)
    if operation in _REPEATS:
        return _repeated(operation, arguments, place)
    if operation is code.ATOMIC_GROUP:
        return Translation(f"(?:{_sequence(list(arguments), place).pattern})", exact=False)
    if operation in (code.ASSERT, code.ASSERT_NOT):
        return _looked_at(operation, arguments, place)
    return Translation(_ANYTHING if operation in (code.GROUPREF, code.GROUPREF_EXISTS) else "", exact=False)


def _either(branches: Iterable[Iterable[_Node]], place: _Place) -> Translation:
    parts = [_sequence(list(branch), place) for branch in branches]
    return Translation(f"(?:{'|'.join(part.pattern for part in parts)})", all(part.exact for part in parts))


def _regrouped(arguments: Any, place: _Place) -> _Place:
    _, added, removed, _ = arguments
    return _Place(place.first, place.last, (place.flags | added) & ~removed & _KEPT)


def _repeated(operation: Any, arguments: Any, place: _Place) -> Translation:
    least, most, body = arguments
    inner = _sequence(list(body), _Place(False, False, place.flags))
    low = min(int(least), _MOST_REPEATS)
    endless = most is code.MAXREPEAT or int(most) > _MOST_REPEATS
    same = low == least and (most is code.MAXREPEAT or not endless)
    exact = inner.exact and same and operation is not code.POSSESSIVE_REPEAT
    return Translation(f"(?:{inner.pattern}){{{low},{'' if endless else int(most)}}}", exact)


def _looked_at(operation: Any, arguments: Any, place: _Place) -> Translation:
    """A look at the one character before the pattern or behind it; of any other nothing is left."""
    direction, body = arguments
    if len(body) != 1 or body[0][0] not in _CHARACTERS:
        return Translation("", exact=False)
    seen = _characters(body[0], place.flags)
    if direction < 0 and place.first:
        return Translation(_one_of(seen) if operation is code.ASSERT else _none_before(seen), exact=True)
    if direction > 0 and place.last:
        return Translation(_one_of(seen) if operation is code.ASSERT else _none_behind(seen), exact=True)
    return Translation("", exact=False)


def _boundary(nodes: Sequence[_Node], number: int, place: _Place) -> Translation:
    """A border of a word at an end of the pattern, where it is known what stands on its inner side."""
    word = ranges_of(r"\w", place.flags & re.ASCII)
    if place.first and not place.last:
        inner, none = _edge(nodes[number + 1 :], place.flags), _none_before
    elif place.last and not place.first:
        inner, none = _edge(nodes[:number][::-1], place.flags, backwards=True), _none_behind
    else:
        return Translation("", exact=False)
    if not inner or not (within(inner, word) or apart(inner, word)):
        return Translation("", exact=False)
    in_word = within(inner, word)
    if nodes[number][1] is code.AT_NON_BOUNDARY:
        in_word = not in_word
    return Translation(none(word) if in_word else _one_of(word), exact=True)


def _edge(nodes: Sequence[_Node], flags: int, *, backwards: bool = False) -> Ranges | None:
    """All characters that these can begin with; None if they can be empty, or nobody knows.

    Backwards the nodes are given in reverse, and what they end with is asked.
    """
    edge: Ranges = ()
    for operation, arguments in nodes:
        if operation in _CHARACTERS:
            return edge + _characters((operation, arguments), flags)
        if operation is code.SUBPATTERN:
            flags_there = _regrouped(arguments, _Place(False, False, flags)).flags
            inner = _edge(_turned(arguments[3], backwards), flags_there, backwards=backwards)
            return None if inner is None else edge + inner
        if operation is code.BRANCH:
            return _edge_of_any(edge, arguments[1], flags, backwards)
        if operation not in _REPEATS:
            return None
        inner = _edge(_turned(arguments[2], backwards), flags, backwards=backwards)
        if inner is None:
            return None
        edge += inner
        if arguments[0] > 0:
            return edge
    return None


def _edge_of_any(edge: Ranges, branches: Iterable[Any], flags: int, backwards: bool) -> Ranges | None:
    for branch in branches:
        inner = _edge(_turned(branch, backwards), flags, backwards=backwards)
        if inner is None:
            return None
        edge += inner
    return edge


def _turned(nodes: Iterable[_Node], backwards: bool) -> list[_Node]:
    return list(nodes)[::-1] if backwards else list(nodes)


def _characters(node: _Node, flags: int) -> Ranges:
    operation, arguments = node
    if operation is code.LITERAL and not flags & re.IGNORECASE:
        return ((arguments, arguments),)
    if operation is code.ANY:
        return ranges_of(".", flags & re.DOTALL)
    flags &= re.IGNORECASE | re.ASCII
    if operation is code.LITERAL:
        return either_case(arguments, flags)
    if operation is code.NOT_LITERAL:
        return ranges_of(f"[^{_escaped(arguments)}]", flags)
    return ranges_of(f"[{''.join(map(_member, arguments))}]", flags)


def _member(node: _Node) -> str:
    operation, arguments = node
    if operation is code.NEGATE:
        return "^"
    if operation is code.RANGE:
        return f"{_escaped(arguments[0])}-{_escaped(arguments[1])}"
    return _escaped(arguments) if operation is code.LITERAL else _CLASSES[arguments]


def _escaped(point: int) -> str:
    return f"\\U{point:08x}"


def _one_of(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\x{0}-\x{10ffff}]"
    return "[" + "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in ranges) + "]"


def _none_before(ranges: Ranges) -> str:
    return rf"(?:\A|{_one_of(complement(ranges))})"


def _none_behind(ranges: Ranges) -> str:
    return rf"(?:{_one_of(complement(ranges))}|\z)"


def _end(place: _Place) -> Translation:
    if place.flags & re.MULTILINE:
        return Translation("(?m:$)", exact=True)
    # a last newline may follow, which `$` does not take: where something stands behind it, it is left out
    return Translation(r"(?:\n?\z)", exact=True) if place.last else Translation("", exact=False)


_AT: dict[Any, Callable[[_Place], Translation]] = {
    code.AT_BEGINNING: lambda place: Translation(
        "(?m:^)" if place.flags & re.MULTILINE else r"\A", exact=True
    ),
    code.AT_BEGINNING_STRING: lambda _: Translation(r"\A", exact=True),
    code.AT_END: _end,
    code.AT_END_STRING: lambda _: Translation(r"\z", exact=True),
}
