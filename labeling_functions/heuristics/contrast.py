"""Compares the two responses of a pair by a figure; the family of heuristics that vote A or B."""

from collections.abc import Callable, Sequence

from labeling_functions.answers import Answer
from labeling_functions.function import Function
from labeling_functions.items import Item
from labeling_functions.pairs import A, B, pair_of


def contrast(name: str, figure: Callable[[str], float], least: float, *parts: object) -> Function:
    """A function that votes for the response of the larger figure.

    Args:
        name: of the function.
        figure: of a response.
        least: difference from which on it votes; it abstains below, and always on equal figures.
        parts: what else shapes its votes, for its version.
    """

    def ask(items: Sequence[Item]) -> list[Answer]:
        pairs = [pair_of(item) for item in items]
        return [_better(figure(pair.a) - figure(pair.b), least) for pair in pairs]

    return Function(name=name, ask=ask, takes="items", version_parts=(contrast, figure, least, *parts))


def _better(difference: float, least: float) -> Answer:
    if difference == 0 or abs(difference) < least:
        return None
    return A if difference > 0 else B
