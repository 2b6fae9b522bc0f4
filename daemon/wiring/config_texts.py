"""Texts that no file, address or page can hold: refused wherever they stand."""

from collections.abc import Iterator
from typing import Any

from daemon.wiring.config_errors import Problem
from daemon.wiring.config_keys import Path


def odd_texts(value: Any, path: Path = ()) -> Iterator[Problem]:
    """What is wrong with the texts at and below a place, keys among them."""
    if isinstance(value, str) and (problem := _problem(value)):
        yield Problem(path, problem)
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from odd_texts(member, (*path, str(index)))
    if isinstance(value, dict):
        for name, below in value.items():
            if problem := _problem(name):
                yield Problem(path, f"the key {name!r} {problem}")
                continue
            yield from odd_texts(below, (*path, name))


def _problem(text: str) -> str:
    if "\x00" in text:
        return "holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds bytes that are not UTF-8, or half of a surrogate pair, which is no character"
    return ""
