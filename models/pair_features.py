"""What a pair of responses is to models: features of A minus features of B."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from models.arrays import F4, I8
from models.response_style import STYLE, style_features

EMBEDDING, OF_STYLE = "embedding", "style"
KINDS = (EMBEDDING, OF_STYLE)
"""Kinds of features, by their numbers."""

PREFIX = "pairs:"
"""An encoder of this name reads pairs, by the encoder of texts that is named after it."""


class TextEncoder(Protocol):
    """Texts to unit vectors (n, d)."""

    @property
    def name(self) -> str:
        """Of the model."""

    def encode(self, texts: Sequence[str]) -> F4:
        """(n, d) float32 rows of length 1."""


class PairEncoder:
    """phi(x) = [embedding of the response, its style beside the prompt], and phi(a) - phi(b) of pairs.

    Differences are antisymmetric: turning a pair around turns the sign. The prompt is not embedded: its share
    would cancel in the difference, a long one would leave the response no room in the encoder's window, and
    on recorded pairs people's choices were predicted better without it (docs/preferences.md).
    """

    def __init__(self, texts: TextEncoder) -> None:
        self.name = PREFIX + texts.name
        self._texts = texts

    def responses(self, prompts: Sequence[str], responses: Sequence[str]) -> F4:
        """(n, d) phi of n responses to n prompts: embedding, then style.

        Style is divided by the root of its number of columns, so that distances do not go by style alone.
        """
        style = style_features(prompts, responses) / np.sqrt(len(STYLE))
        return np.hstack([self._texts.encode(responses), style.astype(np.float32)])

    def pairs(self, prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> F4:
        """(n, d) phi(first) - phi(second) of n pairs; all 2 n responses are encoded in one call."""
        both = self.responses([*prompts, *prompts], [*first, *second])
        return np.asarray(both[: len(prompts)] - both[len(prompts) :])


def kinds_of(dimension: int) -> I8:
    """(d,) index in KINDS of each of d features: style stands at the end.

    Raises ValueError for vectors that are too short to be of pairs.
    """
    if dimension <= len(STYLE):
        raise ValueError(f"pairs: vectors of length {dimension}; style alone is {len(STYLE)} numbers")
    return np.asarray(np.arange(dimension) >= dimension - len(STYLE), np.int64)
