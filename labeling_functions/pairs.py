"""Items of two texts: responses to a prompt, of which one may be better, or texts that may match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling_functions.items import Item

A, B, TIE = 0, 1, 2
"""Labels of a pair: its first response is better, its second, neither."""

SCALE: Mapping[str, tuple[int, tuple[float, float, float]]] = {
    "1": (A, (1.0, 0.0, 0.0)),
    "2": (A, (0.6, 0.1, 0.3)),
    "3": (TIE, (0.0, 0.0, 1.0)),
    "4": (B, (0.1, 0.6, 0.3)),
    "5": (B, (0.0, 1.0, 0.0)),
}
"""Answers on five points, from A much better to B much better -> label, and probabilities of A, B and tie.

Preferences (a tie counts half) are 1, .75, .5, .25 and 0; .6, .1 and .3 is our choice.
"""

FIELDS = ("prompt", "response_a", "response_b")
"""Fields of an item that is a pair; more are allowed, and nobody is shown them."""

SIDES = ("left", "right")
"""Fields of an item that is two texts to match; more are allowed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and two responses to it, A and B."""

    prompt: str
    a: str
    b: str


def preference(probabilities: Sequence[float]) -> float:
    """How likely A is preferred, of (3,) probabilities of A, B and tie; a tie counts half."""
    return float(probabilities[A] + probabilities[TIE] / 2)


def pair_of(item: Item) -> Pair:
    """The pair that an item is.

    Raises:
        ValueError: the item is none.
    """
    if problem := not_a_pair(item.fields):
        raise ValueError(f"item {item.id!r}: {problem}")
    return Pair(*(item.fields[name] for name in FIELDS))


def not_a_pair(fields: Mapping[str, Any]) -> str:
    """What keeps these fields from being a pair; empty if nothing does."""
    return _lacking(fields, FIELDS, "a pair has `fields` prompt, response_a and response_b")


def no_texts_to_match(fields: Mapping[str, Any]) -> str:
    """What keeps these fields from being two texts to match; empty if nothing does."""
    return _lacking(fields, SIDES, "two texts to match have `fields` left and right")


def _lacking(fields: Mapping[str, Any], names: tuple[str, ...], wanted: str) -> str:
    missing = [f"`{name}`" for name in names if name not in fields]
    if missing:
        return f"{wanted}; {_listed(missing)} missing"
    wrong = [f"`{name}`" for name in names if not isinstance(fields[name], str)]
    return f"{_listed(wrong)} no text" if wrong else ""


def _listed(names: list[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
