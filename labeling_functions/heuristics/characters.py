"""Sets of characters, as Python's `re` understands them."""

import re
from functools import cache

import numpy as np

Ranges = tuple[tuple[int, int], ...]
"""Code points, as sorted ranges that neither touch nor overlap; both ends are in them."""

_SURROGATES = range(0xD800, 0xE000)
_LAST = 0x10FFFF


@cache
def ranges_of(pattern: str, flags: int) -> Ranges:
    """All characters that a pattern of one character matches; surrogates, which no UTF-8 has, are left out.

    They are found by searching all of Unicode, so that they are what this very `re` takes them to be: its
    tables of letters and of upper and lower case are not those of other engines.
    """
    found = re.compile(f"(?:{pattern})+", flags).finditer(_everything())
    ends = [(_point(match.start()), _point(match.end() - 1)) for match in found]
    return tuple(part for first, last in ends for part in _without_surrogates(first, last))


@cache
def either_case(point: int, flags: int) -> Ranges:
    """All characters that stand for this one where case is ignored; `flags` may add `re.ASCII`."""
    found = re.findall(re.escape(chr(point)), _cased(), flags | re.IGNORECASE)
    return _merged({point, *map(ord, found)})


def within(some: Ranges, others: Ranges) -> bool:
    """All of some are among the others."""
    return all(any(low <= first and last <= high for low, high in others) for first, last in some)


def apart(some: Ranges, others: Ranges) -> bool:
    """None of some is among the others."""
    return all(last < low or high < first for first, last in some for low, high in others)


def complement(some: Ranges) -> Ranges:
    """All other characters, surrogates too."""
    gaps, after = [], 0
    for first, last in some:
        if after < first:
            gaps.append((after, first - 1))
        after = last + 1
    return (*gaps, (after, _LAST)) if after <= _LAST else tuple(gaps)


@cache
def _everything() -> str:
    points = np.arange(_LAST + 1, dtype="<u4")
    return np.delete(points, _SURROGATES).tobytes().decode("utf-32-le")


@cache
def _cased() -> str:
    return "".join(one for one in _everything() if one.swapcase() != one)


def _merged(points: set[int]) -> Ranges:
    ranges: list[tuple[int, int]] = []
    for point in sorted(points):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return tuple(ranges)


def _point(place: int) -> int:
    return place if place < _SURROGATES.start else place + len(_SURROGATES)


def _without_surrogates(first: int, last: int) -> Ranges:
    if first < _SURROGATES.start and last >= _SURROGATES.stop:
        return ((first, _SURROGATES.start - 1), (_SURROGATES.stop, last))
    return ((first, last),)
