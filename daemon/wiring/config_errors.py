"""What is wrong with a configuration: every problem at once, each with its key, its place and a way out."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from daemon.core.errors import SetupProblem
from daemon.wiring.config_keys import Key, KeyTree, Path, dotted, is_secret

BOUNDS = {
    "greater_than_equal": ("ge", "is below"),
    "greater_than": ("gt", "is not above"),
    "less_than_equal": ("le", "is above"),
    "less_than": ("lt", "is not below"),
}
"""pydantic's error type -> the bound's name in its context, and how we say that it is broken."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct.

    Attributes:
        path: the key, as in the file; empty for the file as a whole.
        text: what is wrong and what is allowed.
    """

    path: Path
    text: str


class ConfigError(SetupProblem):
    """A configuration that cannot be used; its text lists every problem, one a line."""

    def __init__(self, source: str, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join([f"config error in {source}", *(f"  {line}" for line in lines)]))


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest known word, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown_key(path: Path, tree: KeyTree) -> Problem:
    """A key that nobody reads, with the closest one beside it, or the place where this name does belong."""
    siblings = tree.children(path[:-1])
    hint = suggest(path[-1], siblings)
    if not hint and (elsewhere := tree.named(path[-1])):
        hint = f"; did you mean {dotted(elsewhere[0])!r}?"
    if not hint:
        hint = f"; known here: {', '.join(siblings)}"
    return Problem(path, "unknown key" + hint)


def all_from_pydantic(errors: Sequence[ErrorDetails], tree: KeyTree) -> list[Problem]:
    """Our words for all of pydantic's findings, without those that only follow from others."""
    places = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
    # A list whose members are refused is found to be too short as well.
    return [
        from_pydantic(error, tree)
        for error in errors
        if error["type"] != "too_short" or error["loc"] not in places
    ]


def from_pydantic(error: ErrorDetails, tree: KeyTree) -> Problem:
    """Our words for one of pydantic's findings."""
    path = tuple(str(part) for part in error["loc"])
    kind = error["type"]
    if kind == "unexpected_keyword_argument":
        return unknown_key(path, tree)
    if kind == "value_error":
        return from_check(path, str(error["ctx"]["error"]), tree)
    key = tree.find(path)
    complaint = "missing" if kind == "missing" else _complaint(error, key)
    meaning = key.meaning if key else tree.sections.get(path, "")
    return Problem(path, _join(complaint, meaning, f"allowed: {key.allowed}" if key and key.allowed else ""))


def from_check(path: Path, message: str, tree: KeyTree) -> Problem:
    """A finding of a dataclass's own check; by our convention its message begins with the key it is about."""
    name, colon, rest = message.partition(": ")
    if colon and path and name == path[-1]:
        return Problem(path, rest)
    while colon and name in tree.children(path):
        path, message = (*path, name), rest
        name, colon, rest = message.partition(": ")
    return Problem(path, message)


def _complaint(error: ErrorDetails, key: Key | None) -> str:
    kind, value = error["type"], error["input"]
    if kind in BOUNDS:
        bound, words = BOUNDS[kind]
        return f"{value} {words} {error['ctx'][bound]:g}"
    if kind == "too_short":
        return f"{error['ctx']['actual_length']} given, at least {error['ctx']['min_length']} needed"
    if kind == "literal_error":
        return f"{value!r} is not one of {error['ctx']['expected']}"
    if key is None:
        return f"{_shown(value)} is not a mapping of keys"
    wanted = key.item_words if kind in ("string_type", "int_type") else key.words
    shown = "the value" if is_secret(key.path[-1]) else _shown(value)
    return f"{shown} is not {wanted}{_quote_hint(value, wanted)}"


def _quote_hint(value: Any, wanted: str) -> str:
    if wanted == "text" and isinstance(value, bool):
        return " (YAML reads a bare yes, no, on, off, true or false as a truth value: put it in quotes)"
    if wanted == "text" and isinstance(value, int | float):
        return " (put it in quotes)"
    return ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
