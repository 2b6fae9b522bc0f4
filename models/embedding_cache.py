"""Vectors of texts that were encoded before, as many as fit."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b

import numpy as np

from models.arrays import F4
from models.pair_features import TextEncoder

ENTRY_BYTES = 300
"""What an entry takes beside the numbers of its vector: key, array object, links (measured, rounded up)."""


class EmbeddingCache:
    """The vectors that were asked for last, within a number of bytes. For one thread at a time.

    Attributes:
        size: bytes that are taken now.
    """

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: 0 or more; what does not fit is forgotten, the longest unused first."""
        self.size = 0
        self._most = most_bytes
        self._kept: OrderedDict[bytes, F4] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> F4 | None:
        """(d,) the vector, which counts as used now; None if it is not here."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, vector: F4) -> None:
        """Keep a copy of a (d,) vector, and forget others to make room; none that fills the cache alone."""
        cost = vector.nbytes + ENTRY_BYTES
        if cost > self._most:
            return
        if (before := self._kept.pop(key, None)) is not None:
            self.size -= before.nbytes + ENTRY_BYTES
        while self.size + cost > self._most:
            self.size -= self._kept.popitem(last=False)[1].nbytes + ENTRY_BYTES
        self._kept[key] = vector.copy()
        self.size += cost


@dataclass(frozen=True, slots=True)
class Encoded:
    """How n texts got their vectors: `computed` by the model, from the `cache`, or as a `copy` of another."""

    computed: int
    cache: int
    copy: int

    @property
    def by_source(self) -> Mapping[str, int]:
        """The counts by their names."""
        return asdict(self)


class CachedEncoder:
    """`TextEncoder` that computes no text twice: neither within a call, nor while its vector is kept.

    Attributes:
        cache: what is kept.
        last: how the last call went.
    """

    def __init__(self, texts: TextEncoder, most_bytes: int) -> None:
        """`texts` computes; its vectors are kept for it alone, in `most_bytes` at most."""
        self.name = texts.name
        self.cache = EmbeddingCache(most_bytes)
        self.last = Encoded(0, 0, 0)
        self._texts = texts

    def encode(self, texts: Sequence[str]) -> F4:
        """(n, d) vectors of n texts, in their order."""
        first: dict[bytes, int] = {}
        keys = [_key(text) for text in texts]
        for row, key in enumerate(keys):
            first.setdefault(key, row)
        known = {key: found for key in first if (found := self.cache.get(key)) is not None}
        missing = [key for key in first if key not in known]
        computed = self._texts.encode([texts[first[key]] for key in missing])
        known.update(zip(missing, computed, strict=True))
        for key in missing:
            self.cache.put(key, known[key])
        self.last = Encoded(len(missing), len(first) - len(missing), len(texts) - len(first))
        return np.stack([known[key] for key in keys]) if keys else computed


def _key(text: str) -> bytes:
    """128 bits of the text: two texts of one key are not to be expected in any stream."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
