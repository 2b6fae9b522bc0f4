"""Items to vectors: what of an item is encoded, by kind of task."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.core import metrics
from daemon.core.first_look import Encoder
from daemon.core.metrics import Meter
from labeling_functions.items import Item
from labeling_functions.pairs import SIDES, pair_of
from labeling_functions.task import MATCHING, PREFERENCE
from models.arrays import F4
from models.embedding_cache import CachedEncoder
from models.pair_features import PairEncoder, TextEncoder
from models.text_pairs import TwoTextEncoder


class MeteredTexts:
    """`TextEncoder` that counts where vectors come from."""

    def __init__(self, texts: CachedEncoder, meter: Meter) -> None:
        self.name = texts.name
        self._texts = texts
        self._meter = meter

    def encode(self, texts: Sequence[str]) -> F4:
        """(n, d) of n texts."""
        vectors = self._texts.encode(texts)
        for source, count in self._texts.last.by_source.items():
            self._meter.add(metrics.ENCODED_TEXTS, count, source)
        self._meter.set(metrics.ENCODER_CACHE, self._texts.cache.size)
        return vectors


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
