"""What two texts beside each other are to models."""

from collections.abc import Sequence

import numpy as np

from models.arrays import F4
from models.pair_features import TextEncoder

PREFIX = "two:"
"""An encoder of this name reads two texts, by the encoder of texts that is named after it."""


class TwoTextEncoder:
    """|u - v| of the embeddings u and v of two texts: the same whichever comes first.

    A. Conneau et al.: Supervised Learning of Universal Sentence Representations from Natural Language
    Inference Data. EMNLP 2017 (arXiv 1705.02364), section 3.1; without their other parts, with which a linear
    head was worse on a few hundred pairs (examples/entity_matching).
    """

    def __init__(self, texts: TextEncoder) -> None:
        self.name = PREFIX + texts.name
        self._texts = texts

    def encode(self, left: Sequence[str], right: Sequence[str]) -> F4:
        """(n, d) of n pairs of texts; all 2 n are encoded in one call."""
        both = self._texts.encode([*left, *right])
        return np.asarray(np.abs(both[: len(left)] - both[len(left) :]))
