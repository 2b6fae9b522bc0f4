"""Items to vectors: what of an item is encoded, by kind of task."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.core.first_look import Encoder
from labeling_functions.items import Item
from labeling_functions.pairs import SIDES, pair_of
from labeling_functions.task import MATCHING, PREFERENCE
from models.pair_features import PairEncoder, TextEncoder
from models.text_pairs import TwoTextEncoder


class WholeTexts:
    """`Encoder` of items by all their text; vectors of length 1."""

    def __init__(self, texts: TextEncoder) -> None:
        self.name = texts.name
        self._texts = texts

    def encode(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """(n, d) of n items."""
        return self._texts.encode([item.plain_text for item in items])


class Differences:
    """`Encoder` of pairs: features of response A minus features of response B (`PairEncoder`)."""

    def __init__(self, texts: TextEncoder) -> None:
        self._pairs = PairEncoder(texts)
        self.name = self._pairs.name

    def encode(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """(n, d) of n items. Raises ValueError for one that is no pair."""
        pairs = [pair_of(item) for item in items]
        return self._pairs.pairs(
            [pair.prompt for pair in pairs], [pair.a for pair in pairs], [pair.b for pair in pairs]
        )


class TwoTexts:
    """`Encoder` of two texts to match: how their embeddings differ (`TwoTextEncoder`)."""

    def __init__(self, texts: TextEncoder) -> None:
        self._texts = TwoTextEncoder(texts)
        self.name = self._texts.name

    def encode(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """(n, d) of n items with the fields `left` and `right`."""
        left, right = ([item[side] for item in items] for side in SIDES)
        return self._texts.encode(left, right)


ENCODERS: Mapping[str, Callable[[TextEncoder], Encoder]] = {PREFERENCE: Differences, MATCHING: TwoTexts}
"""Kind of task -> what makes vectors of its items out of an encoder of texts; `WholeTexts` of other kinds."""
